//! A file that is sent in, piece by piece.
//!
//! It is never in memory as a whole. The time that it may take as a whole is bounded, however slowly it
//! comes, and so is its size.

use axum::{
    body::BodyDataStream,
    extract::{FromRequest, Request},
};
use bytes::Bytes;
use futures::StreamExt as _;
use tokio::time::{Duration, Instant, timeout_at};

use super::{
    body::{self, BodyLimits},
    openapi::{Documented, Operation},
    problem::{Code, Problem},
};

/// The media type of files that are sent in.
const MEDIA_TYPE: &str = "text/csv";
/// How long a refused file is still read, so that whoever sends it reads why.
const FAREWELL: Duration = Duration::from_secs(10);

/// The body as it arrives, a `text/csv`.
#[derive(Debug)]
pub struct Upload {
    body: BodyDataStream,
    left: usize,
    until: Instant,
}

impl Upload {
    /// The next piece; none at the end.
    ///
    /// # Errors
    /// It is too slow, too long, or broke off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let piece = timeout_at(self.until, self.body.next()).await;
        let piece = match piece.map_err(|_| Problem::new(Code::BodyTooSlow))? {
            None => return Ok(None),
            Some(Ok(piece)) => piece,
            Some(Err(_)) => {
                let problem = Problem::new(Code::MalformedCsv);
                return Err(problem.because("the body broke off"));
            }
        };
        match self.left.checked_sub(piece.len()) {
            Some(left) => self.left = left,
            None => return Err(Problem::new(Code::BodyTooLarge)),
        }
        Ok(Some(piece))
    }

    /// Reads what is left for a while and forgets it.
    pub async fn discard(mut self) {
        self.until = self.until.min(Instant::now() + FAREWELL);
        while let Ok(Some(_)) = self.next().await {}
    }
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let limits = request.extensions().get::<BodyLimits>().copied();
        // A route without the edge around it is a mistake of ours.
        let limits = limits.ok_or(Problem::new(Code::Internal))?;
        body::media_type(request.headers(), MEDIA_TYPE)?;
        Ok(Self {
            body: request.into_body().into_data_stream(),
            left: limits.max,
            until: Instant::now() + limits.patience,
        })
    }
}

impl Documented for Upload {
    fn document(operation: &mut Operation) {
        operation.takes_file(MEDIA_TYPE);
        operation.may_refuse(&[
            Code::MalformedCsv,
            Code::BodyTooSlow,
            Code::BodyTooLarge,
            Code::UnsupportedMediaType,
        ]);
    }
}
