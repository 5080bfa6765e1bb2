//! Lists come in pages. A cursor says where the last page ended, and belongs to one list with one
//! set of filters.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use projections::Page;
use schema::{Position, id::derive};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use uuid::Uuid;

use crate::http::problem::{Code, Problem};

/// The most rows of a page.
const LIMIT_MAX: u8 = 50;
/// How much of the check is in a cursor, in bytes.
const CHECK: usize = 8;

/// How many rows a page has at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Limit(u8);

impl Default for Limit {
    fn default() -> Self {
        Self(20)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = u8::deserialize(deserializer)?;
        if (1..=LIMIT_MAX).contains(&limit) {
            Ok(Self(limit))
        } else {
            Err(D::Error::custom("from 1 to 50"))
        }
    }
}

impl JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": LIMIT_MAX })
    }
}

/// Where a row stands in its list: what a cursor keeps.
pub(super) trait Place: Sized {
    /// As bytes; always as many.
    fn bytes(self) -> Vec<u8>;

    /// The place of these bytes.
    fn read(bytes: &[u8]) -> Option<Self>;
}

impl Place for Position {
    fn bytes(self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(i64::from_be_bytes).map(Self)
    }
}

/// A list as somebody looks at it.
#[derive(Debug, Clone, Copy)]
pub(super) struct List {
    id: Uuid,
    limit: Limit,
}

impl List {
    /// The list of this name under these filters.
    pub(super) fn new(name: &str, filters: &impl Serialize, limit: Limit) -> Self {
        // Unwrap safety: filters are made of words, ids and truths.
        let filters = serde_json::to_vec(filters).expect("filters are JSON");
        let id = derive("list", &[name.as_bytes(), &filters]);
        Self { id, limit }
    }

    /// The rows to ask for.
    ///
    /// # Errors
    /// The cursor is not one of this list.
    pub(super) fn page(&self, cursor: Option<&str>) -> Result<Page, Problem> {
        let after = self.after(cursor)?;
        let limit = self.rows();
        Ok(Page { after, limit })
    }

    /// How many rows to ask for: one more than are shown, to know whether there are more.
    pub(super) fn rows(&self) -> i64 {
        i64::from(self.limit.0) + 1
    }

    /// Where the page before ended.
    ///
    /// # Errors
    /// The cursor is not one of this list.
    pub(super) fn after<P: Place>(&self, cursor: Option<&str>) -> Result<Option<P>, Problem> {
        let Some(cursor) = cursor else {
            return Ok(None);
        };
        let place = self.place(cursor);
        let place = place.ok_or(Problem::new(Code::InvalidCursor).at("cursor"))?;
        Ok(Some(place))
    }

    /// The rows to show, and the cursor to the next ones.
    pub(super) fn shown<R, P: Place>(
        &self,
        mut rows: Vec<R>,
        place: impl Fn(&R) -> P,
    ) -> (Vec<R>, Option<String>) {
        let limit = usize::from(self.limit.0);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more);
        let next = last.map(|last| self.cursor(place(last)));
        (rows, next)
    }

    /// The cursor to what stands behind `place`.
    pub(super) fn cursor(&self, place: impl Place) -> String {
        let mut bytes = place.bytes();
        let check = self.check(&bytes);
        bytes.extend_from_slice(&check);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn place<P: Place>(&self, cursor: &str) -> Option<P> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (place, check) = bytes.split_last_chunk::<CHECK>()?;
        (*check == self.check(place)).then(|| P::read(place))?
    }

    fn check(&self, place: &[u8]) -> [u8; CHECK] {
        let id = derive("cursor", &[self.id.as_bytes(), place]);
        let mut check = [0; CHECK];
        check.copy_from_slice(&id.as_bytes()[..CHECK]);
        check
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(filter: &str) -> List {
        List::new("things", &filter, Limit(2))
    }

    #[test]
    fn a_cursor_leads_to_the_rows_after_the_last_one_shown() {
        let (rows, next) = list("a").shown(vec![3, 5, 8], |row| Position(*row));
        assert_eq!(rows, [3, 5]);
        let page = list("a").page(next.as_deref()).expect("a good cursor");
        assert_eq!((page.after, page.limit), (Some(Position(5)), 3));
        let (rows, next) = list("a").shown(vec![8, 9], |row| Position(*row));
        assert_eq!((rows.len(), next), (2, None));
    }

    #[test]
    fn a_cursor_of_another_list_is_none() {
        let cursor = list("a").cursor(Position(5));
        let wrong = [
            "",
            "AAAA",
            "not base64!",
            &cursor[1..],
            &format!("{cursor}A"),
        ];
        for cursor in wrong {
            let problem = list("a").page(Some(cursor)).expect_err("refused");
            assert_eq!(problem.code(), Code::InvalidCursor);
        }
        assert!(list("b").page(Some(&cursor)).is_err());
        let longer = URL_SAFE_NO_PAD.encode([0; 24]);
        assert!(list("a").page(Some(&longer)).is_err());
        assert!(list("a").page(Some(&cursor)).is_ok());
    }

    #[test]
    fn a_page_has_from_1_to_50_rows() {
        let read = |text: &str| serde_json::from_str::<Limit>(text).ok();
        assert_eq!((read("1"), read("50")), (Some(Limit(1)), Some(Limit(50))));
        assert_eq!((read("0"), read("51"), read("-1")), (None, None, None));
    }
}
