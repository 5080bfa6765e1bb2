//! The `ETag` of a thing is the position of its last change.

use crate::http::headers::{ETag, IfMatch};

/// The position that a caller insists on. One beyond all positions is as good as any other that
/// nothing has.
pub(super) fn insisted(condition: IfMatch) -> Option<i64> {
    match condition {
        IfMatch::Is(tag) => Some(position(tag)),
        IfMatch::Any | IfMatch::Exists => None,
    }
}

/// The position that an `ETag` is of.
pub(super) fn position(ETag(position): ETag) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// The `ETag` of what changed last at `position`.
pub(super) fn of(position: i64) -> ETag {
    // Positions are 1, 2, 3, ….
    ETag(u64::try_from(position).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_the_position_of_the_last_change() {
        assert_eq!(insisted(IfMatch::Is(of(9))), Some(9));
        assert_eq!(insisted(IfMatch::Is(ETag(u64::MAX))), Some(i64::MAX));
        assert_eq!(insisted(IfMatch::Exists), None);
    }
}
