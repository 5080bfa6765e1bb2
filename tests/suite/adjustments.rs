//! What accounts pay more or less than they were charged: two people for every adjustment, whoever
//! tries to be both, and sums that show it.

mod attacks;
pub(crate) mod fixture;
mod kills;
mod proposed;
