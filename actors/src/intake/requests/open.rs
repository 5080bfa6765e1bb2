//! How many messages the open requests are still to bring.

use std::collections::VecDeque;

use tokio::time::Instant;

/// The open requests. A message does not tell which of them brought it, and a server serves them in
/// turn, so what comes is counted on the oldest.
#[derive(Debug, Default)]
pub(super) struct Open {
    requests: VecDeque<Request>,
    /// How many messages they are still to bring together.
    messages: usize,
}

#[derive(Debug)]
struct Request {
    /// Until when it has to be over.
    until: Instant,
    /// How many messages it is still to bring.
    messages: usize,
}

impl Open {
    /// How many are open.
    pub(super) fn count(&self) -> usize {
        self.requests.len()
    }

    /// How many messages they are still to bring.
    pub(super) const fn messages(&self) -> usize {
        self.messages
    }

    /// Until when the oldest has to be over.
    pub(super) fn until(&self) -> Option<Instant> {
        self.requests.front().map(|oldest| oldest.until)
    }

    /// One was sent.
    pub(super) fn sent(&mut self, messages: usize, until: Instant) {
        self.requests.push_back(Request { until, messages });
        self.messages += messages;
    }

    /// So many messages came, or will not come.
    pub(super) fn brought(&mut self, mut messages: usize) {
        while let Some(oldest) = self.requests.front_mut() {
            let here = messages.min(oldest.messages);
            oldest.messages -= here;
            self.messages -= here;
            messages -= here;
            if oldest.messages > 0 {
                return;
            }
            self.requests.pop_front();
        }
    }

    /// The oldest brings no more.
    pub(super) fn oldest_over(&mut self) {
        let oldest = self.requests.pop_front();
        self.messages -= oldest.map_or(0, |request| request.messages);
    }

    /// The youngest brings nothing.
    pub(super) fn youngest_over(&mut self) {
        let youngest = self.requests.pop_back();
        self.messages -= youngest.map_or(0, |request| request.messages);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_comes_is_counted_on_the_oldest() {
        let (mut open, now) = (Open::default(), Instant::now());
        let later = now + Duration::from_secs(1);
        open.sent(2, now);
        open.sent(50, later);
        assert_eq!((open.count(), open.messages()), (2, 52));
        open.brought(1);
        assert_eq!((open.count(), open.until()), (2, Some(now)));
        open.brought(2);
        assert_eq!((open.count(), open.until()), (1, Some(later)));
        assert_eq!(open.messages(), 49);
        open.brought(100);
        assert_eq!((open.count(), open.messages()), (0, 0));
    }

    #[test]
    fn a_request_that_is_over_brings_no_more() {
        let (mut open, now) = (Open::default(), Instant::now());
        open.oldest_over();
        open.youngest_over();
        open.sent(1, now);
        open.sent(20, now);
        open.sent(300, now);
        open.oldest_over();
        assert_eq!((open.count(), open.messages()), (2, 320));
        open.youngest_over();
        assert_eq!((open.count(), open.messages()), (1, 20));
    }
}
