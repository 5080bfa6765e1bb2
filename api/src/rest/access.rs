//! Access: what is kept of looks at data that is not the caller's own, and whose data one may see.

pub(super) mod look;
pub(super) mod whose;
