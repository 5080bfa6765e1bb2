//! NATS as operators set it up: who may say and hear what, certificates, the way through a leaf
//! node.

mod certificates;
mod leaf;
mod matrix;
mod raw;
