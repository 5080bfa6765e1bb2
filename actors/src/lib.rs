//! What decides: actors around pure deciders.
//!
//! A *decider* ([`decide`]) is a pure function from a stream's state and a command to events. A
//! [`stream_actor`] is its shell: it folds the stream, asks the decider and appends. The
//! [`directory`] wakes one shell per stream and lets idle ones sleep; the [`appender`] turns many
//! appends into few transactions. [`dlr`] puts them together for receipts: [`intake`] brings them
//! in, [`correlate`] finds their messages, [`healing`] matches orphans later.

pub mod appender;
pub mod correlate;
pub mod decide;
pub mod directory;
pub mod dlr;
pub mod healing;
pub mod intake;
pub mod metrics;
pub mod stream_actor;
pub mod supervision;
