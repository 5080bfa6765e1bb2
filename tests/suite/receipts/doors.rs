//! Ways into `tollbook dlr`: receipts come from NATS, and over HTTP there is nothing but three
//! questions about the process itself.

use std::{collections::BTreeSet, fs};

use tests::world::Service;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::fixture::desk;
use crate::{fixture::run, rest::raw::RawAnswer};

/// The state of a socket that waits for connections, as the kernel writes it.
const LISTENING: &str = "0A";

/// The ports that a process listens on.
fn listens_on(service: &Service) -> BTreeSet<u16> {
    let pid = service.pid().expect("it runs");
    let files = fs::read_dir(format!("/proc/{pid}/fd")).expect("ours to look at");
    let opened = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
    let sockets: BTreeSet<_> = opened
        .filter_map(|file| {
            let name = file.to_string_lossy().into_owned();
            let inode = name.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect();
    let mut ports = BTreeSet::new();
    for kind in ["tcp", "tcp6", "udp", "udp6"] {
        let table = fs::read_to_string(format!("/proc/{pid}/net/{kind}")).unwrap_or_default();
        for line in table.lines().skip(1) {
            let fields: Vec<_> = line.split_whitespace().collect();
            let (address, state, inode) = (fields[1], fields[3], fields[9]);
            // A socket of datagrams that is bound hears, whatever its state is called.
            let hears = state == LISTENING || kind.starts_with("udp");
            if hears && sockets.contains(inode) {
                let (_, port) = address.rsplit_once(':').expect("a port");
                ports.insert(u16::from_str_radix(port, 16).expect("hexadecimal"));
            }
        }
    }
    ports
}

/// What the probe port answers to this.
async fn asked(service: &Service, method: &str, path: &str) -> RawAnswer {
    let mut stream = TcpStream::connect(service.probe_address()).await;
    let stream = stream.as_mut().expect("connects");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut bytes = Vec::new();
    // Who refuses may close before all of it is read.
    let _ = stream.read_to_end(&mut bytes).await;
    RawAnswer::of(&bytes)
}

#[test]
fn dlr_has_one_port_and_it_tells_health_readiness_and_metrics_alone() {
    run(async {
        let desk = desk().await;
        let address = desk.service.probe_address();
        let (_, port) = address.rsplit_once(':').expect("a port");
        let port = port.parse().expect("a port");
        assert_eq!(listens_on(&desk.service), BTreeSet::from([port]));
        for path in ["/health", "/ready", "/metrics"] {
            assert_eq!(
                asked(&desk.service, "GET", path).await.status,
                Some(200),
                "{path}"
            );
            for method in ["POST", "PUT", "PATCH", "DELETE"] {
                let answer = asked(&desk.service, method, path).await;
                assert_eq!(answer.status, Some(405), "{method} {path}");
            }
        }
        for path in [
            "/",
            "/v1/billing/usage",
            "/v1/admin/pricing",
            "/openapi.json",
            "/debug/pprof",
            "/metrics/",
            "/health/../v1",
            "/sms.dlr.inbound",
        ] {
            for method in ["GET", "POST"] {
                let answer = asked(&desk.service, method, path).await;
                assert_eq!(answer.status, Some(404), "{method} {path}");
            }
        }
    });
}
