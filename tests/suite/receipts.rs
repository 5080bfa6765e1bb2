//! What becomes of receipts, by hand-made examples on real servers (CONTRACTS 3 to 5).

pub(crate) mod desk;
mod forms;
mod hostile;
mod lives;
mod many;
mod matching;
mod orphans;
mod settling;
