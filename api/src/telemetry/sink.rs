//! Takes finished log lines off the hands of whoever logs.
//!
//! Logging must never wait for a slow reader of stdout: lines go into a buffer that a thread
//! of its own writes out. When the buffer is full, lines are dropped, counted, and the count is
//! logged as soon as there is room.

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// How many bytes may wait: about a second of one line per receipt at the highest rate.
const WAITING_MAX: usize = 8 << 20;
/// How long lines are gathered before they are written together.
const GATHER: Duration = Duration::from_millis(5);

/// A cheap handle to the buffer.
#[derive(Debug, Clone)]
pub(super) struct Sink {
    buffer: Arc<Buffer>,
}

#[derive(Debug)]
struct Buffer {
    state: Mutex<State>,
    /// Told when lines arrive in an empty buffer, when all are written, and at the end.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    dropped: u64,
    writing: bool,
    ending: bool,
}

impl Sink {
    /// A sink that writes to standard output.
    pub(super) fn to_stdout() -> Self {
        Self::to(io::stdout())
    }

    /// A sink that writes to `output`.
    pub(super) fn to(output: impl Write + Send + 'static) -> Self {
        let buffer = Arc::new(Buffer {
            state: Mutex::default(),
            changed: Condvar::default(),
        });
        let writer = Arc::clone(&buffer);
        let thread = thread::Builder::new().name("log-writer".into());
        // Without the thread we would run silently; then rather not at all.
        thread
            .spawn(move || writer.write_to(output))
            .expect("a process may start a thread");
        Self { buffer }
    }

    /// Hands over a line with its newline. Never waits for the output.
    pub(super) fn write(&self, line: &str) {
        let mut state = self
            .buffer
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if state.waiting.len() + line.len() > WAITING_MAX {
            state.dropped += 1;
            return;
        }
        let was_empty = state.waiting.is_empty();
        state.waiting.extend_from_slice(line.as_bytes());
        drop(state);
        if was_empty {
            self.buffer.changed.notify_all();
        }
    }

    /// Waits until everything is written, for `patience` at most; then writing ends.
    pub(super) fn finish(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let mut state = self
            .buffer
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        state.ending = true;
        self.buffer.changed.notify_all();
        while state.writing || !state.waiting.is_empty() {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                return;
            };
            let waited = self.buffer.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Buffer {
    fn write_to(&self, mut output: impl Write) {
        let mut lines = Vec::new();
        while let Some(dropped) = self.next(&mut lines) {
            // When nobody reads any more there is nowhere to say so.
            let _ = output.write_all(&lines);
            if dropped > 0 {
                let _ = writeln!(
                    output,
                    "{{\"level\":\"WARN\",\"event\":\"log.lines_dropped\",\"count\":{dropped}}}"
                );
            }
            let _ = output.flush();
            lines.clear();
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.writing = false;
            let ending = state.ending;
            drop(state);
            self.changed.notify_all();
            if !ending {
                thread::sleep(GATHER);
            }
        }
    }

    /// Swaps the waiting lines for the empty `lines`; how many were dropped. `None` at the end.
    fn next(&self, lines: &mut Vec<u8>) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.waiting.is_empty() {
            if state.ending {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        mem::swap(&mut state.waiting, lines);
        state.writing = true;
        Some(mem::take(&mut state.dropped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An output that others can look at, and that blocks while it is locked.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0
                .lock()
                .expect("not poisoned")
                .extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn text(paper: &Paper) -> String {
        String::from_utf8(paper.0.lock().expect("not poisoned").clone()).expect("UTF-8")
    }

    #[test]
    fn everything_is_written_before_the_end() {
        let paper = Paper::default();
        let sink = Sink::to(paper.clone());
        for number in 0..10_000 {
            sink.write(&format!("{number}\n"));
        }
        sink.finish(Duration::from_secs(5));
        assert_eq!(text(&paper).lines().count(), 10_000);
        assert!(text(&paper).ends_with("9999\n"));
    }

    #[test]
    fn a_blocked_output_blocks_nobody_and_the_loss_is_told() {
        let paper = Paper::default();
        let sink = Sink::to(paper.clone());
        let blocked = paper.0.lock().expect("not poisoned");
        let line = "x".repeat(1 << 20) + "\n";
        for _ in 0..40 {
            sink.write(&line);
        }
        sink.finish(Duration::from_millis(10));
        drop(blocked);
        sink.finish(Duration::from_secs(5));
        let text = text(&paper);
        assert!(
            text.contains("log.lines_dropped"),
            "at least 24 MiB did not fit"
        );
        assert!(
            text.len() >= WAITING_MAX - line.len(),
            "what fitted is there"
        );
    }
}
