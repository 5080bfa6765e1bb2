//! An S3 server: `SeaweedFS`, with server-side encryption (SSE-S3) turned on.
//!
//! It needs about three seconds to start, and its wheel is fetched only by `./dev --all`.

use std::{path::PathBuf, time::Duration};

use serde_json::json;

use super::{
    error::Result,
    leash::{Leash, Signal},
    port, probe, servers,
};

const PATIENCE: Duration = Duration::from_mins(1);
const ACCESS_KEY: &str = "tollbook";

/// The parts of the server; each wants a port for HTTP and one for gRPC.
const PARTS: [&str; 4] = ["master", "volume", "filer", "s3"];

/// A running S3 server.
#[derive(Debug)]
pub struct S3 {
    leash: Leash,
    program: PathBuf,
    args: Vec<String>,
    port: u16,
    secret_key: String,
}

impl S3 {
    /// Whether it was fetched (`./dev --all fetch`).
    #[must_use]
    pub fn available() -> bool {
        servers::S3.fetched()
    }

    /// Starts a server without buckets.
    ///
    /// # Errors
    /// The server was not fetched, or does not start; its log is in the error.
    pub async fn start() -> Result<Self> {
        let leash = Leash::new("s3", Signal::Kill)?;
        let program = servers::S3.programs(&leash).await?.join("weed");
        leash.subfolder("data")?;
        let secret_key = port::password();
        leash.write("s3.json", &identities(&secret_key))?;
        let (port, args) = arguments(&leash)?;
        let s3 = Self {
            leash,
            program,
            args,
            port,
            secret_key,
        };
        s3.start_again().await?;
        Ok(s3)
    }

    /// The endpoint, for path-style requests.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> &'static str {
        "us-east-1"
    }

    /// The access key; it may do everything.
    pub fn access_key(&self) -> &'static str {
        ACCESS_KEY
    }

    /// Its secret.
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }

    /// Ends the server the hard way; see [`Self::start_again`].
    ///
    /// # Errors
    /// The leash is gone.
    pub async fn kill(&self) -> Result<()> {
        self.leash.halt(Signal::Kill).await
    }

    /// Starts a killed server on the same ports and data.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start_again(&self) -> Result<()> {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        let ready = async |_| probe::answers_ok(self.port, "/healthz").await;
        self.leash
            .start(&self.program, &args, PATIENCE, ready)
            .await
    }

    /// The leash, for signals and the log.
    pub fn leash(&self) -> &Leash {
        &self.leash
    }

    /// Ends the server and waits until nothing of it is left. Dropping does it without waiting.
    ///
    /// # Errors
    /// The leash could not be waited for.
    pub async fn stop(&self) -> Result<()> {
        self.leash.stop().await
    }
}

fn identities(secret_key: &str) -> String {
    let identity = json!({
        "name": "tollbook",
        "credentials": [{ "accessKey": ACCESS_KEY, "secretKey": secret_key }],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    });
    json!({ "identities": [identity] }).to_string()
}

/// Every port and path is our own; the defaults would meet those of another stack.
fn arguments(leash: &Leash) -> Result<(u16, Vec<String>)> {
    leash.write("security.toml", &encryption_key())?;
    let mut args: Vec<String> = [
        "server",
        "-dir=data",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-filer",
        "-s3",
        "-s3.config=s3.json",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.localSocket=s3.sock",
        "-filer.localSocket=filer.sock",
        "-master.volumeSizeLimitMB=1024",
        "-volume.max=50",
    ]
    .map(String::from)
    .to_vec();
    let mut leftovers = Vec::new();
    let mut last = 0;
    for part in PARTS {
        let (http, grpc) = (port::free()?, port::free()?);
        args.push(format!("-{part}.port={http}"));
        args.push(format!("-{part}.port.grpc={grpc}"));
        // It puts these sockets there whatever we say.
        leftovers.push(format!("/tmp/seaweedfs-{part}-grpc-{grpc}.sock\n"));
        last = http;
    }
    leash.write("leftovers", &leftovers.concat())?;
    Ok((last, args))
}

/// The key that SSE-S3 derives its own from; without it such uploads are refused.
fn encryption_key() -> String {
    format!(
        "[s3.sse]\nkey = \"{}{}\"\n",
        port::password(),
        port::password()
    )
}
