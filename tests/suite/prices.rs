//! Prices and costs: what cannot be one, what may still be changed, and that no two overlap.

mod attacks;
mod overlap;
mod refused;
mod sheets;
mod sheets_by_hand;
mod sheets_killed;
mod versions;
