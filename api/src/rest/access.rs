//! Access: what is kept of looks at data that is not the caller's own.

pub(super) mod look;
