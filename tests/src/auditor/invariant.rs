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
        "A receipt (operator, operator message id, status) is at most one event of its message's \
         stream, and at most one open orphan at a time."
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
    MatchedInTime "MATCHED_IN_TIME"
        "A receipt is recorded with a message handed in before it arrived, at most the match \
         window earlier."
    ReceiptsBounded "RECEIPTS_BOUNDED"
        "A message keeps at most six receipts per segment."
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
        "No phone number, metadata, raw payload, billing name or address is readable in the log, \
         in `dlr.*`, in `billing.*` or outside `webhook.dispatch`."
    CheckpointsAtHead "CHECKPOINTS_AT_HEAD"
        "At rest, every projection has applied the log up to its head."
    ChargedOnce "CHARGED_ONCE"
        "Every settled message is charged exactly once or, where it cannot be, waits, once."
    ChargeSaysWhatSettled "CHARGE_SAYS_WHAT_SETTLED"
        "Charges, holds and conflicts repeat a settlement that was announced, with its owner."
    PriceOfItsTime "PRICE_OF_ITS_TIME"
        "Every charge rests on the account and the price that were in effect for its time when it \
         was recorded."
    AmountsFollow "AMOUNTS_FOLLOW"
        "The amounts and flags of every charge follow from its settlement, price and cost."
    CostsAsKnown "COSTS_AS_KNOWN"
        "What a charge costs is what was known of its time where that is recorded, and in the end \
         what is known of it then."
    HeldForAReason "HELD_FOR_A_REASON"
        "A charge is held for the reason that stands then, and waits no longer than it must."
    ConflictsKept "CONFLICTS_KEPT"
        "Every contradiction of a settlement is kept and shown exactly once, beside what counts, \
         and says in what it differs."
    OnePriceAtATime "ONE_PRICE_AT_A_TIME"
        "Versions of a price, a cost or an exchange rate never overlap; closing one only shortens it."
    SheetWhole "SHEET_WHOLE"
        "What a sheet opened and closed stands right before its own event, as much of it as it says."
    AccountOfOneTenant "ACCOUNT_OF_ONE_TENANT"
        "An account belongs to the tenant that registered it, whoever says something of it later."
    AdjustedByTwo "ADJUSTED_BY_TWO"
        "An adjustment is proposed for a registered account in a currency it pays in, and decided once, \
         unchanged; whoever approves it is not who proposed it."
    ErasedForgotten "ERASED_FORGOTTEN"
        "A tenant is erased only where that was asked for, and then nothing says who it was."
    ChargedAsAgreed "CHARGED_AS_AGREED"
        "Charges and holds are what was agreed before anything was sent."
    ChargeRowsMatchLog "CHARGE_ROWS_MATCH_LOG"
        "`billing.billing_events` has exactly one row per charge, saying the same."
    HeldRowsMatchLog "HELD_ROWS_MATCH_LOG"
        "`billing.held_charges` has exactly one row per hold, with its end where it has one."
    UsageMatchesLog "USAGE_MATCHES_LOG"
        "Every bucket of `billing.usage_summaries` and `billing.usage_days` is the sum of its \
         charges, and their sums are the sum of all charges."
    MarginsMatchLog "MARGINS_MATCH_LOG"
        "What finance is told of margins, by whatever it asks for, is the sum of the charges of \
         those days by their last assessment."
    PriceRowsMatchLog "PRICE_ROWS_MATCH_LOG"
        "`billing.pricing_tables` and `billing.operator_costs` have exactly one row per version."
    AccountRowsMatchLog "ACCOUNT_ROWS_MATCH_LOG"
        "`billing.accounts` has exactly one row per registered account, and \
         `billing.account_versions` one per version that was told, saying the same and whether \
         another took its place."
    AdjustmentRowsMatchLog "ADJUSTMENT_ROWS_MATCH_LOG"
        "`billing.adjustments` has exactly one row per adjustment, as far as it has come."
    AccessRowsMatchLog "ACCESS_ROWS_MATCH_LOG"
        "`billing.access_log` has exactly one row per access that is a fact, saying the same."
    StatementsToldTruly "STATEMENTS_TOLD_TRULY"
        "What comparing a carrier's statement showed adds up, and what it says of our messages is \
         what the log says of them."
    StatementRowsMatchLog "STATEMENT_ROWS_MATCH_LOG"
        "`billing.operator_statements` has exactly one row per statement that was compared, saying \
         the same."
}

impl Serialize for Invariant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}
