//! The tables of billing: applied once however often, sums that are those of the charges, prices
//! that cannot overlap, rows that only their tenant sees, and plans that keep their index.

mod accepted;
mod books;
mod overlap;
mod plans;
mod sums;
mod visible;
