//! Charges as a table, as many as there are.
//!
//! They are read stretch by stretch, each in a transaction of its own, and the next one only when the
//! caller has taken the last: memory is that of one stretch, and whoever reads slowly holds no
//! connection to Postgres. What is sent is of the moment when it began: charges that are recorded
//! meanwhile are not in it. If a stretch cannot be read, the answer breaks off without its end, which
//! every client of HTTP takes for an error.

use std::future::ready;

use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use projections::{
    ReadError, Reader,
    charges::billing_events::{self, ChargePlace, ChargeStretch, ChargesOf},
};

use super::charge;
use crate::{
    http::{
        csv::{Csv, Rows},
        exports::Export,
        problem::Problem,
    },
    rest::fault,
};

/// How many charges are looked at in one transaction.
const STRETCH: i64 = 2_000;
/// About how long their rows are.
const STRETCH_BYTES: usize = 768 * 1024;

/// The rest of a table that was begun.
struct Rest {
    reader: Reader,
    of: ChargesOf,
    ours: bool,
    after: ChargePlace,
    /// Given back with the last row, or when the caller goes away.
    _export: Export,
}

/// A table that could not be finished.
#[derive(Debug, thiserror::Error)]
#[error("the table is cut short")]
struct CutShort;

/// The table of these charges; its first stretch is read already.
///
/// # Errors
/// That stretch cannot be read.
pub(super) async fn table(
    reader: &Reader,
    of: ChargesOf,
    ours: bool,
    export: Export,
) -> Result<Csv, Problem> {
    let mut rows = Rows::with_capacity(STRETCH_BYTES);
    charge::head(&mut rows, ours);
    let stopped_at = read(reader, of, ours, None, &mut rows).await;
    let stopped_at = stopped_at.map_err(fault::unread)?;
    let rest = stopped_at.map(|after| Rest {
        reader: reader.clone(),
        of,
        ours,
        after,
        _export: export,
    });
    let first = stream::once(ready(Ok(Bytes::from(rows))));
    let stretches = first.chain(stream::try_unfold(rest, next));
    Ok(Csv {
        name: "charges.csv",
        body: Body::from_stream(stretches),
    })
}

/// The next rows, and what is left behind them.
async fn next(rest: Option<Rest>) -> Result<Option<(Bytes, Option<Rest>)>, CutShort> {
    let Some(mut rest) = rest else {
        return Ok(None);
    };
    let mut rows = Rows::with_capacity(STRETCH_BYTES);
    let after = Some(rest.after);
    let read = read(&rest.reader, rest.of, rest.ours, after, &mut rows).await;
    let stopped_at = read.map_err(|error| {
        // Its head was sent: nobody can be told a problem any more, only the log.
        fault::unread(error);
        CutShort
    })?;
    let left = stopped_at.map(|after| {
        rest.after = after;
        rest
    });
    Ok(Some((rows.into(), left)))
}

/// Writes the rows behind a place; says where it stopped if there may be more.
async fn read(
    reader: &Reader,
    of: ChargesOf,
    ours: bool,
    after: Option<ChargePlace>,
    rows: &mut Rows,
) -> Result<Option<ChargePlace>, ReadError> {
    let stretch = ChargeStretch {
        after,
        limit: STRETCH,
        looked_at: STRETCH,
    };
    let found = billing_events::list(reader, of, stretch).await?;
    for charge in &found.charges {
        charge::row(rows, charge, ours);
    }
    Ok(found.stopped_at)
}
