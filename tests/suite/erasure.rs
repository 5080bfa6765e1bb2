//! Erasure: what is left of a tenant that wanted to be forgotten, and what still comes for it.

mod announced;
mod attacks;
mod fixture;
mod forgotten;
mod returns;
