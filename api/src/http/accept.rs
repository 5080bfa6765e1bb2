//! In which form a caller wants an answer that there is in two: JSON, or a table as CSV.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::ACCEPT, request::Parts},
};

use super::{
    openapi::{Documented, Operation},
    problem::Problem,
};

/// What `Accept` asks for. JSON, unless it wants `text/csv` more; whatever else it names is JSON
/// too, as everywhere here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// A page of JSON.
    Json,
    /// A table.
    Csv,
}

impl<S: Send + Sync> FromRequestParts<S> for Accepted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self::of(&parts.headers))
    }
}

impl Documented for Accepted {
    fn document(_: &mut Operation) {}
}

impl Accepted {
    fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(ACCEPT).iter();
        let ranges = values.filter_map(|value| value.to_str().ok());
        let ranges = ranges.flat_map(|value| value.split(','));
        let (mut csv, mut json) = (0, 0);
        for range in ranges {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            let weight = weight.map_or(1_000, thousandths);
            if kind.eq_ignore_ascii_case("text/csv") {
                csv = weight.max(csv);
            } else if kind.eq_ignore_ascii_case("application/json") {
                json = weight.max(json);
            }
        }
        if csv > json { Self::Csv } else { Self::Json }
    }
}

/// A weight of RFC 9110, `0` to `1` with at most three places; none is understood as 0.
fn thousandths(weight: &str) -> u16 {
    let (whole, places) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = places.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, digits && places.len() <= 3) {
        ("1", true) => 1_000,
        ("0", true) => format!("{places:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_table_is_for_whoever_wants_it_more_than_json() {
        let of = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            Accepted::of(&headers)
        };
        for csv in [
            "text/csv",
            "Text/CSV; charset=utf-8",
            "text/html, text/csv;q=0.9, */*;q=0.1",
            "application/json;q=0.5, text/csv;q=0.501",
        ] {
            assert_eq!(of(csv), Accepted::Csv, "{csv}");
        }
        for json in [
            "",
            "*/*",
            "text/*",
            "text/html",
            "application/json, text/csv",
            "text/csv;q=0",
            "text/csv;q=2",
            "text/csv;q=0.0001",
            "text/csv;q=-1",
        ] {
            assert_eq!(of(json), Accepted::Json, "{json}");
        }
        assert_eq!(Accepted::of(&HeaderMap::new()), Accepted::Json);
    }
}
