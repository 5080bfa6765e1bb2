//! Commands for people that go through the REST API, with the rights of whoever's token they have.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use axum::http::{Method, Request, Uri, header};
use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use crate::{cli::ApiSettings, config::ConfigError, trust};

/// The most bytes of an answer.
const ANSWER_MAX: usize = 16 * 1024 * 1024;
/// How much of a file is sent at once.
const PIECE: usize = 256 * 1024;

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// The API at one address, as whoever the token names.
pub(super) struct ApiClient {
    http: Client<HttpsConnector<HttpConnector>, Body>,
    base: String,
    token: String,
}

/// Why the API gave no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// A file cannot be read.
    #[error("file {path}")]
    File {
        /// The file as it was named.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// It cannot be asked like this.
    #[error("asking the API")]
    Request(#[source] axum::http::Error),
    /// It cannot be reached, or went away.
    #[error("asking the API")]
    Unreachable(#[source] hyper_util::client::legacy::Error),
    /// Its answer broke off, is too long or none that can be understood.
    #[error("reading what the API answers")]
    Answer,
    /// It says no.
    #[error("the API answers {status} {code}: {detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The code of the problem.
        code: String,
        /// What is wrong.
        detail: String,
    },
}

impl ApiClient {
    /// Reads the token, and connects when first asked.
    ///
    /// # Errors
    /// A setting is wrong, or the file with the token cannot be read.
    pub(super) fn new(settings: &ApiSettings) -> Result<Self, super::RoleError> {
        let base: Uri = settings.url.clone();
        let here = base
            .host()
            .is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
        match base.scheme_str() {
            Some("https") => {}
            // A token in the clear is for everybody on the way.
            Some("http") if here => {}
            _ => {
                let problem = "must be https://, or http:// to this machine";
                return Err(ConfigError::value("TOLLBOOK_URL", problem).into());
            }
        }
        let path = &settings.token_file;
        let token = std::fs::read_to_string(path).map_err(|source| ApiError::File {
            path: path.clone(),
            source,
        })?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(trust::client(
                "TOLLBOOK_CA_FILE",
                settings.ca_file.as_deref(),
            )?)
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            http: Client::builder(TokioExecutor::new()).build(connector),
            base: base.to_string().trim_end_matches('/').to_owned(),
            token: token.trim().to_owned(),
        })
    }

    /// Asks.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub(super) async fn get(&self, path: &str) -> Result<Value, ApiError> {
        let empty = Full::new(Bytes::new()).map_err(|never| match never {});
        self.call(Method::GET, path, None, empty.boxed_unsync())
            .await
    }

    /// Sends a file, and tells on stderr how much of it is sent.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub(super) async fn put_file(
        &self,
        path: &str,
        media_type: &str,
        file: &Path,
    ) -> Result<Value, ApiError> {
        let unread = |source| ApiError::File {
            path: file.to_owned(),
            source,
        };
        let opened = tokio::fs::File::open(file).await.map_err(unread)?;
        let size = opened.metadata().await.map_err(unread)?.len();
        let pieces =
            stream::try_unfold((opened, Progress::of(size)), |(mut file, mut told)| async {
                let mut piece = vec![0; PIECE];
                let read = file.read(&mut piece).await?;
                piece.truncate(read);
                told.sent(read);
                let frame = (read > 0).then(|| Frame::data(Bytes::from(piece)));
                Ok(frame.map(|frame| (frame, (file, told))))
            });
        let body = StreamBody::new(pieces).boxed_unsync();
        self.call(Method::PUT, path, Some(media_type), body).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        media_type: Option<&str>,
        body: Body,
    ) -> Result<Value, ApiError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        if let Some(media_type) = media_type {
            request = request.header(header::CONTENT_TYPE, media_type);
        }
        let request = request.body(body).map_err(ApiError::Request)?;
        let answer = self.http.request(request).await;
        let answer = answer.map_err(ApiError::Unreachable)?;
        let status = answer.status();
        let text = Limited::new(answer.into_body(), ANSWER_MAX).collect().await;
        let text = text.map_err(|_| ApiError::Answer)?.to_bytes();
        let said = serde_json::from_slice::<Value>(&text);
        if status.is_success() {
            return said.map_err(|_| ApiError::Answer);
        }
        let said = said.unwrap_or_default();
        Err(ApiError::Refused {
            status: status.as_u16(),
            code: plain(&said["code"]),
            detail: plain(&said["detail"]),
        })
    }
}

/// A text of the other side, without what could move a terminal.
pub(super) fn plain(text: &Value) -> String {
    let text = text.as_str().unwrap_or("-");
    text.chars().filter(|letter| !letter.is_control()).collect()
}

/// Tells how much of a file is sent, a line each tenth.
struct Progress {
    size: u64,
    sent: u64,
    tenths: u64,
}

impl Progress {
    const fn of(size: u64) -> Self {
        Self {
            size,
            sent: 0,
            tenths: 0,
        }
    }

    fn sent(&mut self, bytes: usize) {
        self.sent += u64::try_from(bytes).unwrap_or_default();
        let tenths = (self.sent * 10).checked_div(self.size).unwrap_or(10);
        if tenths > self.tenths || bytes == 0 {
            self.tenths = tenths;
            let (kib, of) = (self.sent / 1024, self.size / 1024);
            // Nothing depends on somebody listening.
            let _ = match bytes {
                0 => writeln!(io::stderr(), "sent; waiting for the answer"),
                _ => writeln!(io::stderr(), "sent {kib} of {of} KiB"),
            };
        }
    }
}
