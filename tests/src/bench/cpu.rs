//! How much processor time processes have used, from `/proc`.

use std::{collections::BTreeMap, fs};

/// Linux counts in hundredths of a second, whatever the machine (`USER_HZ`).
const TICK_MILLIS: u64 = 10;

/// The processes of a measurement, each with everything it has started.
#[derive(Debug, Clone)]
pub(super) struct Meter {
    roots: Vec<(&'static str, u32)>,
    before: BTreeMap<&'static str, u64>,
}

/// Processor time by name, in milliseconds.
pub(super) type Spent = BTreeMap<&'static str, u64>;

impl Meter {
    /// Starts metering these processes.
    pub(super) fn start(roots: Vec<(&'static str, u32)>) -> Self {
        let before = read(&roots);
        Self { roots, before }
    }

    /// The same, but all that the process `name` ever used counts.
    pub(super) fn with_newborn(mut self, name: &'static str) -> Self {
        self.before.remove(name);
        self
    }

    /// One more process, of which all that it ever used counts.
    pub(super) fn joined_by(mut self, name: &'static str, pid: Option<u32>) -> Self {
        self.roots.extend(pid.map(|pid| (name, pid)));
        self
    }

    /// What they used since.
    pub(super) fn stop(&self) -> Spent {
        let since = |(name, ticks): (&'static str, u64)| {
            let before = self.before.get(name).copied().unwrap_or_default();
            (name, ticks.saturating_sub(before) * TICK_MILLIS)
        };
        read(&self.roots).into_iter().map(since).collect()
    }
}

/// How busy the machine was in the last minute, as it says itself.
pub(super) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

struct Process {
    parent: u32,
    /// Its own time and that of the children it has waited for, in ticks.
    ticks: u64,
}

fn read(roots: &[(&'static str, u32)]) -> BTreeMap<&'static str, u64> {
    let processes = all();
    let mut ticks: BTreeMap<_, _> = roots.iter().map(|(name, _)| (*name, 0)).collect();
    for (pid, process) in &processes {
        if let Some(name) = nearest(*pid, roots, &processes) {
            *ticks.entry(name).or_default() += process.ticks;
        }
    }
    ticks
}

/// The root that a process belongs to: the first one on the way up.
fn nearest(
    pid: u32,
    roots: &[(&'static str, u32)],
    processes: &BTreeMap<u32, Process>,
) -> Option<&'static str> {
    let mut at = pid;
    loop {
        if let Some((name, _)) = roots.iter().find(|(_, root)| *root == at) {
            return Some(name);
        }
        at = processes.get(&at)?.parent;
    }
}

fn all() -> BTreeMap<u32, Process> {
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = folders.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: u32| Some((pid, process(pid)?)))
        .collect()
}

/// Reads a process, unless it is gone. See proc(5): the name, in parentheses, may hold anything.
fn process(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, numbers) = stat.rsplit_once(')')?;
    let mut numbers = numbers.split_whitespace().skip(1);
    let parent = numbers.next()?.parse().ok()?;
    let times = numbers.skip(9).take(4);
    let ticks = times.filter_map(|time| time.parse::<u64>().ok()).sum();
    Some(Process { parent, ticks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_of_this_process_is_seen() {
        let meter = Meter::start(vec![("me", std::process::id())]);
        let mut mixed = 1_u64;
        while meter.stop()["me"] < 30 {
            for number in 0..1_000_000 {
                mixed = std::hint::black_box(mixed.wrapping_mul(31) ^ number);
            }
        }
        assert!(meter.stop()["me"] < 60_000);
    }
}
