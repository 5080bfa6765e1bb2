//! A collector of traces that keeps every byte it is sent, heads included.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A collector that listens until it is dropped.
pub(crate) struct Collector {
    sent: Arc<Mutex<Vec<u8>>>,
    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` is to say.
    pub(crate) url: String,
    serving: JoinHandle<()>,
}

impl Collector {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let sent = Arc::new(Mutex::new(Vec::new()));
        let keeping = Arc::clone(&sent);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(keep(stream, Arc::clone(&keeping)));
            }
        });
        Self { sent, url, serving }
    }

    /// Sends it bytes as a client would, and waits until it has taken them.
    pub(crate) async fn told(&self, request: &[u8]) {
        let address = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.expect("connects");
        stream.write_all(request).await.expect("written");
        stream.read_exact(&mut [0; 12]).await.expect("taken");
    }

    /// Everything that came so far.
    pub(crate) fn sent(&self) -> Vec<u8> {
        self.sent.lock().expect("not poisoned").clone()
    }

    /// Whether these bytes have come.
    pub(crate) fn has(&self, bytes: &[u8]) -> bool {
        let sent = self.sent.lock().expect("not poisoned");
        sent.windows(bytes.len()).any(|window| window == bytes)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Keeps each request whole and says that it was taken.
async fn keep(mut stream: TcpStream, sent: Arc<Mutex<Vec<u8>>>) {
    let (mut waiting, mut part) = (Vec::new(), vec![0; 64 * 1024]);
    while let Ok(read @ 1..) = stream.read(&mut part).await {
        waiting.extend_from_slice(&part[..read]);
        while let Some(length) = whole(&waiting) {
            let rest = waiting.split_off(length);
            let request = std::mem::replace(&mut waiting, rest);
            sent.lock().expect("not poisoned").extend(request);
            let taken = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            if stream.write_all(taken).await.is_err() {
                return;
            }
        }
    }
}

/// The length of the first request, once all of it is there.
fn whole(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let body = head.split("content-length:").nth(1)?.split("\r\n").next()?;
    let length = end + body.trim().parse::<usize>().ok()?;
    (bytes.len() >= length).then_some(length)
}
