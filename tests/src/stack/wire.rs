//! A way to a server that can fall silent, as when the host behind it vanishes.
//!
//! While it is silent, whoever is connected or connects is neither answered nor cut off: bytes are
//! swallowed, and the kernel acknowledges each of them. What was silent once stays silent; only
//! new connections get through when the way is free again. The server's side of a silent
//! connection is closed, for what vanished does no more work.

use std::net::Ipv4Addr;

use tokio::{
    io::{self, AsyncReadExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use super::error::{Attempt as _, Result};

/// A port that leads to a server; it ends when this is dropped.
pub struct Wire {
    port: u16,
    silent: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Wire {
    /// A way to `server`, a port of this machine.
    ///
    /// # Errors
    /// No port is free.
    pub async fn to(server: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let bound = listener.and_then(|listener| Ok((listener.local_addr()?.port(), listener)));
        let (port, listener) = bound.attempt(|| format!("listening before port {server}"))?;
        let (silent, heard) = watch::channel(false);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, heard.clone()));
            }
        });
        Ok(Self { port, silent, task })
    }

    /// Where to connect to instead of the server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Nothing gets through any more.
    pub fn fall_silent(&self) {
        self.silent.send_replace(true);
    }

    /// New connections get through.
    pub fn speak(&self) {
        self.silent.send_replace(false);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Carries bytes until one side ends or silence falls; then swallows what comes.
async fn carry(mut client: TcpStream, server: u16, mut silent: watch::Receiver<bool>) {
    let carrying = async {
        let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await?;
        io::copy_bidirectional(&mut client, &mut server).await
    };
    tokio::select! {
        biased;
        _ = silent.wait_for(|silent| *silent) => {}
        _ = carrying => return,
    }
    let mut swallowed = [0; 4_096];
    while client
        .read(&mut swallowed)
        .await
        .is_ok_and(|count| count > 0)
    {}
}
