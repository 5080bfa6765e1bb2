//! A carrier's own statement beside what is recorded (SECURITY-MODEL B15).

mod attacks;
mod command;
mod compared;
mod fixture;
mod hung_up;
