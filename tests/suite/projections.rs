//! What is shown and published follows the log: each event once, and twice is as good as once.

mod billing;
mod keys;
mod pace;
mod stopped;
mod twice;
