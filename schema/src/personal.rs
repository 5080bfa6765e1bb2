//! Personal data that cannot be printed.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A phone number or a payload that may hold one. It has no `Display` and no `Serialize`, its
/// `Debug` says nothing, and its memory is wiped when dropped. Only [`Personal::expose`] shows
/// it; who calls that is a list with reasons in `tests/suite/structure/personal.rs`.
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

/// What a type has that implements nothing of what would show it, and a second time what does: where
/// it is ambiguous, this crate does not compile.
trait ShowsNothing<Way> {
    const YES: bool = true;
}
impl<T: ?Sized> ShowsNothing<()> for T {}
impl<T: ?Sized + fmt::Display> ShowsNothing<u8> for T {}
impl<T: ?Sized + serde::Serialize> ShowsNothing<u16> for T {}
impl<T: ?Sized + AsRef<str>> ShowsNothing<u32> for T {}
impl<T: ?Sized + std::ops::Deref> ShowsNothing<u64> for T {}
const _: bool = <Personal as ShowsNothing<_>>::YES;

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
