//! A free port on 127.0.0.1, below the range that the system gives to outgoing connections, so
//! that a server which restarts finds its port still free.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    net::{Ipv4Addr, TcpListener},
};

use super::error::{Error, Result};

const LOWEST: u16 = 15_000;
const COUNT: u64 = 17_000;
const TRIES: usize = 200;

/// Finds a port nobody listens on. Somebody else may take it before we do; the servers then fail
/// to start, and are started again with another one.
pub(super) fn free() -> Result<u16> {
    let offsets = (0..TRIES).map(|_| chance() % COUNT);
    offsets
        .filter_map(|offset| u16::try_from(offset).ok())
        .map(|offset| LOWEST + offset)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .ok_or(Error::NoPort { tried: TRIES })
}

/// A password for one run: hard to guess for other users of this machine, no more.
pub(super) fn password() -> String {
    format!("{:016x}{:016x}", chance(), chance())
}

/// The standard library's hasher is keyed by chance, which is all we need here.
fn chance() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
