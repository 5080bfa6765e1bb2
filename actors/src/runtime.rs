//! What carries decisions out, whatever they are about.
//!
//! A [`stream_actor`] is the shell of a [`decider`]: it folds the stream, asks the decider and
//! appends. The [`directory`] wakes one shell per stream and lets idle ones sleep; the
//! [`appender`] turns many appends into few transactions. An [`intake`] takes messages from a
//! consumer, a [`tree`] of actors lives and dies as one, and [`supervision`] says what follows
//! when it dies. A [`view`] is what is shown of the log to whoever looks for work. Nothing in here
//! knows what is decided.

pub mod appender;
pub(crate) mod awake;
pub mod commands;
pub mod decider;
pub mod directory;
pub mod intake;
pub mod log_handle;
pub mod origin;
pub mod pulse;
pub mod stream_actor;
pub mod supervision;
pub(crate) mod tree;
pub mod view;
