//! The `ETag` of a thing is the position of its last change.

use schema::Position;

use crate::http::headers::{ETag, IfMatch};

/// The position that a caller insists on. One beyond all positions is as good as any other that
/// nothing has.
pub(super) fn insisted(condition: IfMatch) -> Option<Position> {
    match condition {
        IfMatch::Is(tag) => Some(position(tag)),
        IfMatch::Any | IfMatch::Exists => None,
    }
}

/// The position that an `ETag` is of.
pub(super) fn position(ETag(position): ETag) -> Position {
    Position(i64::try_from(position).unwrap_or(i64::MAX))
}

/// The `ETag` of what changed last at `position`.
pub(super) fn of(position: Position) -> ETag {
    // Positions are 1, 2, 3, ….
    ETag(u64::try_from(position.0).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_the_position_of_the_last_change() {
        assert_eq!(insisted(IfMatch::Is(of(Position(9)))), Some(Position(9)));
        assert_eq!(
            insisted(IfMatch::Is(ETag(u64::MAX))),
            Some(Position(i64::MAX))
        );
        assert_eq!(insisted(IfMatch::Exists), None);
    }
}
