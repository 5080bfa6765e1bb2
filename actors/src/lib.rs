//! What decides: actors around pure deciders.
//!
//! A *decider* ([`decide`]) is a pure function from a stream's state and a command to events. A
//! [`stream_actor`] is its shell: it folds the stream, asks the decider and appends. The
//! [`directory`] wakes one shell per stream and lets idle ones sleep; the [`appender`] turns many
//! appends into few transactions. Two services stand on that: [`dlr`] records receipts,
//! [`billing`] charges settled messages and keeps prices. What their [`intake`]s share, and how
//! their trees of actors live ([`supervision`]), stands between them.

pub mod appender;
pub mod billing;
pub mod decide;
pub mod directory;
pub mod dlr;
pub mod intake;
pub mod principal;
pub mod pulse;
pub mod stream_actor;
pub mod supervision;
mod tree;
