//! What becomes of receipts, by hand-made examples on real servers (CONTRACTS 3 to 5).

mod attacks;
mod doors;
pub(crate) mod fixture;
mod forms;
mod hostile;
mod lives;
mod many;
mod matching;
mod orphans;
mod settling;
