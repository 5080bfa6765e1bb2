//! A collector of traces that remembers who called.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// Answers every export, and counts by bearer token.
pub(super) struct Collector {
    address: String,
    heard: Arc<Mutex<HashMap<String, usize>>>,
}

impl Collector {
    pub(super) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let heard = Arc::default();
        let hearing = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&hearing)));
            }
        });
        Self { address, heard }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// How many exports came with this token.
    pub(super) fn heard(&self, token: &str) -> usize {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.get(token).copied().unwrap_or_default()
    }
}

async fn answer(stream: TcpStream, heard: Arc<Mutex<HashMap<String, usize>>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut length, mut token) = (0, String::new());
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let line = line.trim_end();
            let Some((name, value)) = line.split_once(": ") else {
                if line.is_empty() {
                    break;
                }
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().ok()?,
                "authorization" => value.trim_start_matches("Bearer ").clone_into(&mut token),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        let told = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        stream.get_mut().write_all(told).await.ok()?;
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        *heard.entry(token).or_default() += 1;
    }
}
