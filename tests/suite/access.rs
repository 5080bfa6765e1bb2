//! Looks at others' data: who may, and what is kept of them.

mod looks;
mod trail;
