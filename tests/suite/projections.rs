//! What is shown and published follows the log: each event once, and twice is as good as once.

mod accepted;
mod fixture;
mod keys;
mod pace;
mod plans;
mod stopped;
mod sums;
mod twice;
mod visible;
