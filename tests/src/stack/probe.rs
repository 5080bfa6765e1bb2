//! Whether a server answers: one line of plain TCP or HTTP, without a client library.

use std::time::Duration;

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

/// A server that is slower than this is asked again.
const PATIENCE: Duration = Duration::from_secs(1);

/// The first line a server says after we said something (or nothing); empty if it does not.
pub(super) async fn first_line(port: u16, say: &str) -> String {
    let line = async {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        socket.write_all(say.as_bytes()).await.ok()?;
        let mut lines = BufReader::new(socket).lines();
        lines.next_line().await.ok().flatten()
    };
    timeout(PATIENCE, line)
        .await
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// Whether a GET of the path is answered with 200.
pub(super) async fn answers_ok(port: u16, path: &str) -> bool {
    let line = first_line(port, &format!("GET {path} HTTP/1.0\r\n\r\n")).await;
    line.split(' ').nth(1) == Some("200")
}
