//! What an intake and its surroundings tell each other: whether messages are being pulled, and
//! that it is worth trying again because the connection or the consumer is back.

use tokio::sync::{Notify, watch};

/// The pulse of one intake.
#[derive(Debug, Default)]
pub struct Pulse {
    pulling: watch::Sender<bool>,
    back: Notify,
    paused: watch::Sender<bool>,
}

impl Pulse {
    /// Whether messages are being pulled, for waiting on.
    #[must_use]
    pub fn pulling(&self) -> watch::Receiver<bool> {
        self.pulling.subscribe()
    }

    /// Says that the connection or the consumer is back. An intake that waits to try again tries
    /// at once; one that is just failing does not wait after it.
    pub fn wake(&self) {
        self.back.notify_one();
    }

    /// Has nothing more asked for, for as long as what is returned lives. What was asked for before
    /// still comes, for [`EXPIRES`](super::intake::EXPIRES) at most.
    pub fn pause(&self) -> Pause<'_> {
        self.paused.send_replace(true);
        Pause(self)
    }

    /// Whether nothing more is to be asked for.
    pub(crate) fn paused(&self) -> watch::Receiver<bool> {
        self.paused.subscribe()
    }

    /// Says that nothing is to be pulled here, which is as it should be.
    pub fn nothing_to_pull(&self) {
        self.pulling.send_replace(true);
    }

    /// Says that a pull is open, for as long as what is returned lives.
    pub(crate) fn begin(&self) -> Pulling<'_> {
        self.pulling.send_replace(true);
        Pulling(self)
    }

    /// Returns once it is worth trying again.
    pub(crate) async fn back(&self) {
        self.back.notified().await;
    }
}

/// A pause of one intake.
pub struct Pause<'a>(&'a Pulse);

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.0.paused.send_replace(false);
    }
}

/// An open pull.
pub(crate) struct Pulling<'a>(&'a Pulse);

impl Drop for Pulling<'_> {
    fn drop(&mut self) {
        self.0.pulling.send_replace(false);
    }
}
