//! Charges as a table, as many as there are.
//!
//! They are read stretch by stretch, each in a transaction of its own, one ahead of what the caller
//! takes and no further: memory is that of two stretches, and whoever reads slowly holds no connection
//! to Postgres. What is sent is of the moment when it began: charges that are recorded
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

use tokio::task::JoinHandle;

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
const STRETCH: i64 = 1_000;
/// About how long their rows are.
const STRETCH_BYTES: usize = 384 * 1024;

/// The rest of a table that was begun.
struct Rest {
    source: Source,
    /// The stretch that is read while the one before is sent.
    coming: JoinHandle<Result<Stretch, ReadError>>,
    /// Given back with the last row, or when the caller goes away.
    export: Export,
}

/// Where rows come from.
#[derive(Clone)]
struct Source {
    reader: Reader,
    of: ChargesOf,
    ours: bool,
}

/// Rows, and where they stopped if there may be more.
struct Stretch {
    rows: Rows,
    stopped_at: Option<ChargePlace>,
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
    let source = Source {
        reader: reader.clone(),
        of,
        ours,
    };
    let mut rows = Rows::with_capacity(STRETCH_BYTES);
    charge::head(&mut rows, ours);
    let begun = source.clone().stretch(None, rows).await;
    let begun = begun.map_err(fault::unread)?;
    let rest = source.behind(begun.stopped_at, export);
    let first = stream::once(ready(Ok(Bytes::from(begun.rows))));
    let stretches = first.chain(stream::try_unfold(rest, next));
    Ok(Csv {
        name: "charges.csv",
        body: Body::from_stream(stretches),
    })
}

/// The next rows, and what is left behind them.
async fn next(rest: Option<Rest>) -> Result<Option<(Bytes, Option<Rest>)>, CutShort> {
    let Some(rest) = rest else {
        return Ok(None);
    };
    let read = rest.coming.await.map_err(|_| CutShort)?;
    let stretch = read.map_err(|error| {
        // Its head was sent: nobody can be told a problem any more, only the log.
        fault::unread(error);
        CutShort
    })?;
    let left = rest.source.behind(stretch.stopped_at, rest.export);
    Ok(Some((stretch.rows.into(), left)))
}

impl Source {
    /// Begins to read what is behind a place, if anything may be.
    fn behind(self, after: Option<ChargePlace>, export: Export) -> Option<Rest> {
        let after = Some(after?);
        let rows = Rows::with_capacity(STRETCH_BYTES);
        Some(Rest {
            coming: tokio::spawn(self.clone().stretch(after, rows)),
            source: self,
            export,
        })
    }

    /// Adds the rows behind a place.
    async fn stretch(
        self,
        after: Option<ChargePlace>,
        mut rows: Rows,
    ) -> Result<Stretch, ReadError> {
        let stretch = ChargeStretch {
            after,
            limit: STRETCH,
            looked_at: STRETCH,
        };
        let found = billing_events::list(&self.reader, self.of, stretch).await?;
        for charge in &found.charges {
            charge::row(&mut rows, charge, self.ours);
        }
        Ok(Stretch {
            rows,
            stopped_at: found.stopped_at,
        })
    }
}
