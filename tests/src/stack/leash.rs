//! A server on a leash: it cannot outlive us, and neither can its folder.
//!
//! Between us and each server stands a small shell (leash.sh) in a process group of its own, which
//! listens on a pipe we hold. When we end, by whatever cause, SIGKILL included, the pipe closes;
//! the shell then ends the server, waits for it and removes the folder. The same pipe carries our
//! requests, so a server can be killed and started again on the same folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
    sync::Mutex,
    time::{Instant, sleep},
};

use super::{
    account::Account,
    error::{Attempt, Error, Result},
    folder::RunFolder,
};

const SCRIPT: &str = include_str!("leash.sh");
/// How often a starting server is asked whether it is ready.
const POLL: Duration = Duration::from_millis(5);

/// How a server is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The polite way; servers tidy up.
    Term,
    /// Postgres: fast shutdown.
    Int,
    /// Postgres: immediate shutdown, as after a power cut, but without leaving shared memory.
    Quit,
    /// The hard way.
    Kill,
    /// NATS: read the configuration and certificates again.
    Hup,
    /// Suspends the process: it looks alive and does not answer.
    Stop,
    /// Wakes a suspended process.
    Cont,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Term => "TERM",
            Self::Int => "INT",
            Self::Quit => "QUIT",
            Self::Kill => "KILL",
            Self::Hup => "HUP",
            Self::Stop => "STOP",
            Self::Cont => "CONT",
        }
    }
}

/// One server on its leash.
#[derive(Debug)]
pub struct Leash {
    server: &'static str,
    folder: RunFolder,
    /// The server's process id; 0 while it is not running.
    pid: AtomicU32,
    shell: Mutex<Option<Shell>>,
}

/// The shell at the other end.
#[derive(Debug)]
struct Shell {
    child: Child,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Leash {
    /// Makes a run folder and a leash for a server that is not started yet; `last` is the signal
    /// that ends it for good.
    pub(super) fn new(server: &'static str, last: Signal) -> Result<Self> {
        let account = Account::find()?;
        let mut folder = RunFolder::make(server, account)?;
        folder.write("leash.sh", SCRIPT)?;
        let mut command = Command::new("/bin/sh");
        command
            .arg(folder.path().join("leash.sh"))
            .arg(folder.path())
            .arg(last.name());
        command
            .current_dir(folder.path())
            // Nobody's PGOPTIONS or credentials reach a server of ours.
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder.path())
            .env("LC_ALL", "C");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        account.apply(&mut command);
        let mut command = tokio::process::Command::from(command);
        let mut child = command
            .process_group(0)
            .spawn()
            .attempt(|| format!("starting the leash of {server} (/bin/sh)"))?;
        folder.leashed();
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::Stopped { server });
        };
        let shell = Shell {
            child,
            requests,
            answers: BufReader::new(answers).lines(),
        };
        Ok(Self {
            server,
            folder,
            pid: AtomicU32::new(0),
            shell: Mutex::new(Some(shell)),
        })
    }

    /// The run folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The server's process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        Some(self.pid.load(Ordering::Relaxed)).filter(|pid| *pid != 0)
    }

    /// Whether the server's process is there and not a corpse.
    pub fn alive(&self) -> bool {
        let Some(pid) = self.pid() else { return false };
        // `pid (name) state …`; the name may hold anything, also brackets.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat
            .rsplit_once(") ")
            .and_then(|(_, rest)| rest.chars().next());
        state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
    }

    /// The last lines the server wrote.
    pub fn log_tail(&self) -> String {
        let bytes = fs::read(self.folder().join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// Sends the server a signal and does not wait for what comes of it.
    ///
    /// # Errors
    /// The server is not running.
    pub async fn signal(&self, signal: Signal) -> Result<()> {
        let code = self.ask("signal", signal.name()).await?;
        if code == "0" {
            Ok(())
        } else {
            Err(Error::Stopped {
                server: self.server,
            })
        }
    }

    /// Ends the server, waits for its end, and removes its folder. Dropping does the same without
    /// waiting. A second call does nothing.
    ///
    /// # Errors
    /// The leash could not be waited for.
    pub async fn stop(&self) -> Result<()> {
        let Some(Shell {
            mut child,
            requests,
            answers,
        }) = self.shell.lock().await.take()
        else {
            return Ok(());
        };
        drop((requests, answers));
        child
            .wait()
            .await
            .attempt(|| format!("waiting for the end of {}", self.server))?;
        self.pid.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// The user the server runs as.
    pub(super) fn account(&self) -> Account {
        self.folder.account()
    }

    /// Writes a file the server may read, and nobody else.
    pub(super) fn write(&self, name: &str, content: &str) -> Result<PathBuf> {
        self.folder.write(name, content)
    }

    /// Makes a folder for the server alone.
    pub(super) fn subfolder(&self, name: &str) -> Result<PathBuf> {
        self.folder.subfolder(name)
    }

    /// Copies a folder that the server's user cannot reach into the run folder, as ourselves.
    pub(super) async fn copy_in(&self, from: &Path, name: &str) -> Result<PathBuf> {
        let to = self.folder().join(name);
        let attempt = || format!("copying {} to {}", from.display(), to.display());
        let copied = tokio::process::Command::new("cp")
            .arg("-r")
            .args([from, &to])
            .status()
            .await;
        let status = copied.attempt(attempt)?;
        if !status.success() {
            let source = std::io::Error::other(format!("cp ended with {status}"));
            return Err(Error::Io {
                attempt: attempt(),
                source,
            });
        }
        // The server's user removes the copy later, so it must be its own.
        if let Account::Other { uid, gid } = self.account() {
            let owner = format!("{uid}:{gid}");
            let mut chown = tokio::process::Command::new("chown");
            chown
                .args(["-R", &owner])
                .arg(&to)
                .status()
                .await
                .attempt(attempt)?;
        }
        Ok(to)
    }

    /// Runs one of the server's tools to its end, in the run folder.
    pub(super) async fn run(&self, program: &Path, args: &[&str]) -> Result<()> {
        match self
            .ask("run", &command_line(program, args))
            .await?
            .as_str()
        {
            "0" => Ok(()),
            code => {
                let attempt = format!("{} (exit code {code})", program.display());
                Err(Error::Server {
                    server: self.server,
                    attempt,
                    log: self.log_tail(),
                })
            }
        }
    }

    /// Starts the server and waits until it says it is ready.
    pub(super) async fn start(
        &self,
        program: &Path,
        args: &[&str],
        patience: Duration,
        ready: impl AsyncFn(u32) -> bool,
    ) -> Result<()> {
        let answer = self.ask("start", &command_line(program, args)).await?;
        let pid = answer.parse().map_err(|_| Error::Stopped {
            server: self.server,
        })?;
        self.pid.store(pid, Ordering::Relaxed);
        let deadline = Instant::now() + patience;
        loop {
            if ready(pid).await {
                return Ok(());
            }
            if !self.alive() || Instant::now() > deadline {
                let attempt = format!("starting {}", program.display());
                let log = self.log_tail();
                self.halt(Signal::Kill).await?;
                return Err(Error::Server {
                    server: self.server,
                    attempt,
                    log,
                });
            }
            sleep(POLL).await;
        }
    }

    /// Ends the server and waits for its end; the folder stays, and it may be started again.
    pub(super) async fn halt(&self, signal: Signal) -> Result<()> {
        if self.pid().is_some() {
            self.ask("halt", signal.name()).await?;
            self.pid.store(0, Ordering::Relaxed);
        }
        Ok(())
    }

    /// One request, one answer. A request that is abandoned half-way ends the server, because the
    /// next one would take its answer for its own.
    async fn ask(&self, verb: &str, rest: &str) -> Result<String> {
        let gone = || Error::Stopped {
            server: self.server,
        };
        let mut guard = self.shell.lock().await;
        let mut shell = guard.take().ok_or_else(gone)?;
        let request = format!("{verb} {rest}\n");
        let sent = shell.requests.write_all(request.as_bytes()).await;
        sent.map_err(|_| gone())?;
        let answer = shell.answers.next_line().await.ok().flatten();
        let answer = answer.ok_or_else(gone)?;
        *guard = Some(shell);
        Ok(answer)
    }
}

/// A command as one line of shell, every word quoted.
fn command_line(program: &Path, args: &[&str]) -> String {
    let program = program.to_string_lossy();
    let words = std::iter::once(program.as_ref()).chain(args.iter().copied());
    words.map(quote).collect::<Vec<_>>().join(" ")
}

/// A word that the shell takes as it is. Line ends cannot be carried and are refused upstream by
/// there being none in our paths.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(
            command_line(Path::new("/a b/c"), &["it's", "$HOME"]),
            r"'/a b/c' 'it'\''s' '$HOME'"
        );
    }
}
