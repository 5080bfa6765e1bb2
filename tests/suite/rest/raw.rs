//! Requests byte by byte, for what no client library would send.

use serde_json::Value;
use tests::world::Service;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::fixture::MARK;
use crate::fixture::PATIENCE;

/// What came back until the other side closed the connection.
#[derive(Debug)]
pub(crate) struct RawAnswer {
    /// The status; `None` if no HTTP came back.
    pub(crate) status: Option<u16>,
    pub(crate) text: String,
}

impl RawAnswer {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let line = text.strip_prefix("HTTP/1.1 ");
        let status = line.and_then(|line| line.get(..3)?.parse().ok());
        Self { status, text }
    }

    /// The code of a problem.
    pub(crate) fn code(&self) -> String {
        let body = self.text.split_once("\r\n\r\n").map_or("", |parts| parts.1);
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        body["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Neither a mistake of ours nor an echo of what was sent.
    pub(crate) fn harmless(&self, sent: &str) {
        assert!(self.status.is_none_or(|it| it < 500), "{sent:?}: {self:?}");
        assert!(!self.text.contains(MARK), "{sent:?}: it echoes {self:?}");
    }
}

pub(crate) async fn connect(service: &Service) -> TcpStream {
    let stream = TcpStream::connect(service.rest_address()).await;
    stream.expect("connects")
}

/// Reads until the other side closes, which it must.
pub(crate) async fn drained(stream: &mut TcpStream) -> RawAnswer {
    let mut bytes = Vec::new();
    // Who refuses a request may reset the connection before reading all of it.
    let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    let _ = read.expect("it is not kept open for ever");
    RawAnswer::of(&bytes)
}

/// Sends bytes on a connection of their own. The request should ask to close it.
pub(crate) async fn exchange(service: &Service, bytes: &[u8]) -> RawAnswer {
    let mut stream = connect(service).await;
    let _ = stream.write_all(bytes).await;
    drained(&mut stream).await
}
