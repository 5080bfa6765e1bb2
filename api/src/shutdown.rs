//! The two steps of stopping: take nothing new, then end.

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// How far stopping has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nobody asked to stop.
    Running,
    /// Take nothing new, finish what was begun.
    Soft,
    /// Now.
    Hard,
}

/// Tells everyone when to stop. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shutdown {
    stage: watch::Sender<Stage>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self {
            stage: watch::Sender::new(Stage::Running),
        }
    }
}

impl Shutdown {
    /// Goes one step further: from running to soft, from soft to hard.
    pub fn advance(&self) {
        self.stage.send_modify(|stage| {
            *stage = if *stage == Stage::Running {
                Stage::Soft
            } else {
                Stage::Hard
            };
        });
    }

    /// Asks for a soft stop, unless stopping has begun.
    pub fn request(&self) {
        self.stage.send_if_modified(|stage| {
            let running = *stage == Stage::Running;
            *stage = (*stage).max(Stage::Soft);
            running
        });
    }

    /// Returns when it is time to take nothing new.
    pub async fn soft(&self) {
        self.reached(Stage::Soft).await;
    }

    /// Returns when everything must end.
    pub async fn hard(&self) {
        self.reached(Stage::Hard).await;
    }

    /// How far stopping has gone, for waiting on.
    #[must_use]
    pub fn stage(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    async fn reached(&self, wanted: Stage) {
        let mut stage = self.stage.subscribe();
        // The sender lives as long as we do, so this waits and does not fail.
        let _ = stage.wait_for(|stage| *stage >= wanted).await;
    }

    /// Lets SIGTERM and SIGINT advance it.
    ///
    /// # Errors
    /// The signals cannot be listened to.
    pub fn listen(&self) -> std::io::Result<()> {
        let mut term = signal(SignalKind::terminate())?;
        let mut int = signal(SignalKind::interrupt())?;
        let shutdown = self.clone();
        tokio::spawn(async move {
            loop {
                let signal = tokio::select! {
                    _ = term.recv() => "SIGTERM",
                    _ = int.recv() => "SIGINT",
                };
                shutdown.advance();
                tracing::info!(event = "service.stopping", signal);
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stopping_goes_step_by_step() {
        let shutdown = Shutdown::default();
        let stage = shutdown.stage();
        shutdown.request();
        shutdown.request();
        assert_eq!(*stage.borrow(), Stage::Soft, "asking twice is not more");
        shutdown.soft().await;
        shutdown.advance();
        shutdown.hard().await;
    }
}
