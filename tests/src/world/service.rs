//! A `tollbook` process under test.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::{Child, Command},
    time::{Instant, sleep},
};

use super::{Fault, last_will::LastWill};

/// How much of a log an error shows.
const TAIL: usize = 2_000;

/// A running process. Killed when dropped, and when our own process ends.
pub struct Service {
    child: Child,
    will: LastWill,
    port: u16,
    rest_port: u16,
    log: PathBuf,
}

impl Service {
    pub(super) fn spawn(
        binary: &Path,
        role: &str,
        mut variables: BTreeMap<&'static str, String>,
        folder: &Path,
    ) -> Result<Self, Fault> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let (port, rest_port) = free_ports()?;
        variables.insert("PROBE_PORT", port.to_string());
        if role == "billing" {
            variables.insert("BILLING_PORT", rest_port.to_string());
        }
        let log = folder.join(format!("{role}-{number}.log"));
        let output = File::create(&log)?;
        let child = Command::new(binary)
            .arg(role)
            .env_clear()
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child
            .id()
            .ok_or("a process that has just started has an id")?;
        let will = LastWill::new("kill -9 \"$1\"", pid.to_string())?;
        Ok(Self {
            child,
            will,
            port,
            rest_port,
            log,
        })
    }

    /// Waits until `/ready` says 200.
    ///
    /// # Errors
    /// The process ends first, or `patience` does.
    pub async fn ready(&self, patience: Duration) -> Result<(), Fault> {
        let until = Instant::now() + patience;
        while Instant::now() < until {
            if let Ok(answer) = self.get("/ready").await
                && answer.starts_with("HTTP/1.1 200")
            {
                return Ok(());
            }
            let pid = self.pid().ok_or_else(|| self.said("has ended"))?;
            if !Path::new(&format!("/proc/{pid}/stat")).exists() || is_zombie(pid) {
                return Err(self.said("has ended"));
            }
            sleep(Duration::from_millis(20)).await;
        }
        Err(self.said("does not become ready"))
    }

    /// Where its REST API listens, if it has one.
    #[must_use]
    pub fn rest_address(&self) -> String {
        format!("127.0.0.1:{}", self.rest_port)
    }

    /// Where its probes listen.
    #[must_use]
    pub fn probe_address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What a probe answers, head and body.
    ///
    /// # Errors
    /// The process does not answer.
    pub async fn get(&self, path: &str) -> Result<String, Fault> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: probe\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    /// The value of a metric, named as it is written with its labels.
    pub async fn metric(&self, name: &str) -> Option<i64> {
        let answer = self.get("/metrics").await.ok()?;
        let value = answer
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        value.split('.').next()?.parse().ok()
    }

    /// The process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The name of the file in its world that it writes to.
    #[must_use]
    pub fn log_name(&self) -> String {
        let name = self.log.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Everything it wrote so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Kills it at once, as `kill -9` does.
    ///
    /// # Errors
    /// It cannot be killed.
    pub async fn kill(mut self) -> Result<(), Fault> {
        // Its id may soon be somebody else's.
        self.will.revoke().await?;
        Ok(self.child.kill().await?)
    }

    /// Asks it to stop and waits until it has; says whether it ended well.
    ///
    /// # Errors
    /// It does not stop.
    pub async fn terminate(mut self) -> Result<bool, Fault> {
        if let Some(pid) = self.pid() {
            Command::new("kill").arg(pid.to_string()).status().await?;
        }
        let status = tokio::time::timeout(Duration::from_secs(15), self.child.wait()).await??;
        self.will.revoke().await?;
        Ok(status.success())
    }

    /// Its peak resident memory, in KiB.
    #[must_use]
    pub fn peak_kib(&self) -> Option<u64> {
        self.memory_kib("VmHWM:")
    }

    /// Its resident memory now, in KiB.
    #[must_use]
    pub fn resident_kib(&self) -> Option<u64> {
        self.memory_kib("VmRSS:")
    }

    fn memory_kib(&self, line: &str) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()?)).ok()?;
        let line = status.lines().find_map(|it| it.strip_prefix(line))?;
        line.split_whitespace().next()?.parse().ok()
    }

    fn said(&self, what: &str) -> Fault {
        let log = self.log();
        let tail = log.char_indices().rev().nth(TAIL).map_or(0, |(at, _)| at);
        format!("tollbook {what}; it said:\n{}", &log[tail..]).into()
    }
}

/// Two ports nobody listens on.
fn free_ports() -> Result<(u16, u16), Fault> {
    let [one, two] = [(); 2].map(|()| std::net::TcpListener::bind(("127.0.0.1", 0)));
    let (one, two) = (one?, two?);
    Ok((one.local_addr()?.port(), two.local_addr()?.port()))
}

fn is_zombie(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}
