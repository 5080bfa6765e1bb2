//! Personal data that cannot be printed.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A phone number or a payload that may hold one. It has no `Display` and no `Serialize`, its
/// `Debug` says nothing, and its memory is wiped when dropped. Only [`Personal::expose`] shows
/// it, and only sealing and the webhook publisher call that.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Personal(String);

impl Personal {
    /// Wraps `text`; from here on it cannot be printed by accident.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The data itself. Keep it out of logs, traces, errors, metrics, subjects and panics.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[personal]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_says_nothing() {
        assert_eq!(
            format!("{:?}", Personal::new("+4915112345".into())),
            "[personal]"
        );
    }
}
