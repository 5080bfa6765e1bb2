//! The invariants by name. `docs/INVARIANTS.md` has a line for each, under the same id.

use serde::{Serialize, Serializer};

macro_rules! invariants {
    ($($name:ident $id:literal $sentence:literal)*) => {
        /// Something that holds at rest, whatever happened before.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Invariant {
            $(#[doc = $sentence] $name,)*
        }

        impl Invariant {
            /// Every invariant.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name used in findings, documents, metrics and alerts.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id),* }
            }

            /// What it says.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence),* }
            }
        }
    };
}

invariants! {
    LogDense "LOG_DENSE"
        "The positions of a log are 1, 2, 3, … up to its head, with no gap."
    VersionsDense "VERSIONS_DENSE"
        "The versions of every stream are 1, 2, 3, … in the order of their positions."
    RecordedAtMonotone "RECORDED_AT_MONOTONE"
        "Within a log, the time of recording never goes back."
    EventsReadable "EVENTS_READABLE"
        "Every event is of a known type and shape and stands in a stream of its category."
    IdsDerived "IDS_DERIVED"
        "Every event id and every orphan's stream is derived from what happened, and no id repeats."
    OneEventPerReceipt "ONE_EVENT_PER_RECEIPT"
        "A receipt (operator, operator message id, status) is at most one event of its stream."
    NothingLost "NOTHING_LOST"
        "Every sound receipt that was sent is in the log: with its message or, if it has none, \
         as an orphan."
    NothingInvented "NOTHING_INVENTED"
        "Every event is about a receipt that was sent, at the place where it belongs."
    SaysWhatWasSent "SAYS_WHAT_WAS_SENT"
        "An event repeats word, status and times of one receipt that was sent, and names it."
    RightOwner "RIGHT_OWNER"
        "A message's events carry its account and the pseudonym of its tenant; an orphan's neither."
    SettledOnce "SETTLED_ONCE"
        "A message that received a final receipt is settled exactly once, any other never."
    FirstFinalSettles "FIRST_FINAL_SETTLES"
        "The first final receipt settles; before it all are intermediate, after it all are late."
    ReceiptRowsMatchLog "RECEIPT_ROWS_MATCH_LOG"
        "`dlr.delivery_receipts` has exactly one row per receipt of a message, saying the same."
    OrphanRowsMatchLog "ORPHAN_ROWS_MATCH_LOG"
        "`dlr.orphaned_receipts` and `dlr.orphan_resolutions` have exactly one row per event."
    StatusMatchesLog "STATUS_MATCHES_LOG"
        "`orch.sms_messages` shows what the log says of each message, and is untouched otherwise."
    StatusNeverBack "STATUS_NEVER_BACK"
        "A final status in `orch.sms_messages` is never overwritten."
    BilledOnce "BILLED_ONCE"
        "`billing.events` has exactly one message per settled message, with the right content."
    WebhookPerStatusChange "WEBHOOK_PER_STATUS_CHANGE"
        "`webhook.dispatch` has exactly one message per change of a message's status, addressed \
         right."
    UnmatchedOnce "UNMATCHED_ONCE"
        "`sms.dlr.unmatched` has exactly one message per orphan, with the right content."
    PublishedWithHeaders "PUBLISHED_WITH_HEADERS"
        "Everything published carries `Nats-Msg-Id` and, where there is a tenant, `X-Tenant-Id`."
    HealedOrphanHasEffect "HEALED_ORPHAN_HAS_EFFECT"
        "An orphan whose message exists is matched once, and its receipt is in that message's \
         stream."
    NoPersonalDataInClear "NO_PERSONAL_DATA_IN_CLEAR"
        "No phone number, metadata or raw payload is readable in the log, in `dlr.*` or outside \
         `webhook.dispatch`."
    CheckpointsAtHead "CHECKPOINTS_AT_HEAD"
        "At rest, every projection has applied the log up to its head."
}

impl Serialize for Invariant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}
