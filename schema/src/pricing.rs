//! The words of prices and costs: who pays them, for what, and how they are counted.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Currency, OperatorId, Pseudonym, Timestamp};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            JsonSchema,
        )]
        pub enum $name {
            $($(#[$word_doc])* #[serde(rename = $text)] $word,)*
        }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$word,)*];

            /// The word used on the wire, in the log and in tables.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }

            /// The one that `word` names.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($text => Some(Self::$word),)* _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

words! {
    /// What an account has subscribed to.
    AccountTier {
        /// The smallest.
        Starter = "STARTER",
        /// The usual.
        Growth = "GROWTH",
        /// The largest.
        Enterprise = "ENTERPRISE",
        /// Agreed with one customer.
        Custom = "CUSTOM",
    }
    /// Which way a message goes.
    Direction {
        /// To a handset ("mobile terminated").
        Mt = "MT",
        /// From a handset ("mobile originated").
        Mo = "MO",
    }
    /// What a unit price is multiplied with.
    PricingModel {
        /// The number of segments.
        PerSegment = "PER_SEGMENT",
        /// One, however long the message is.
        FlatPerMessage = "FLAT_PER_MESSAGE",
    }
}

/// What a price is for. At any time at most one version of it is in effect. `T` names tenants: as
/// the log does, or as everybody else does ([`TenantId`](crate::TenantId)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PriceKey<T = Pseudonym> {
    /// Whose own price it is; `None` for the platform's price list.
    pub tenant: Option<T>,
    /// For accounts of this tier.
    pub account_tier: AccountTier,
    /// For messages through this carrier.
    pub operator_id: OperatorId,
    /// Going this way.
    pub direction: Direction,
    /// For accounts that pay in this currency.
    pub currency: Currency,
}

/// What a cost is for. At any time at most one version of it is in effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CostKey {
    /// What this carrier takes.
    pub operator_id: OperatorId,
    /// For messages going this way.
    pub direction: Direction,
}

/// What an exchange rate is for. At any time at most one version of it is in effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeRateKey {
    /// The currency that is converted.
    pub base: Currency,
    /// The currency it is converted to.
    pub quote: Currency,
}

/// A time with a beginning and perhaps an end.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct Period {
    /// The first instant of it.
    pub effective_from: Timestamp,
    /// The first instant after it; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_to: Option<Timestamp>,
}

impl Period {
    /// Whether `at` is in it.
    #[must_use]
    pub fn contains(self, at: Timestamp) -> bool {
        self.effective_from <= at && self.effective_to.is_none_or(|end| at < end)
    }

    /// Whether it has no instant at all, as one that was withdrawn before it began.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.effective_to
            .is_some_and(|end| end <= self.effective_from)
    }

    /// Whether some instant is in both.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        let before = |a: Self, b: Self| a.effective_to.is_some_and(|end| end <= b.effective_from);
        !self.is_empty() && !other.is_empty() && !before(self, other) && !before(other, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(from: i64, to: Option<i64>) -> Period {
        let at = |micros| Timestamp::from_micros(micros).expect("a time");
        Period {
            effective_from: at(from),
            effective_to: to.map(at),
        }
    }

    #[test]
    fn the_end_of_a_period_is_not_in_it() {
        let first = period(10, Some(20));
        let next = period(20, None);
        let end = next.effective_from;
        assert!(!first.contains(end) && next.contains(end));
        assert!(!first.overlaps(next) && !next.overlaps(first));
    }

    #[test]
    fn an_empty_period_overlaps_nothing() {
        let withdrawn = period(15, Some(15));
        assert!(withdrawn.is_empty());
        assert!(!withdrawn.overlaps(period(10, None)));
        assert!(period(10, Some(16)).overlaps(period(15, None)));
    }

    #[test]
    fn every_word_is_read_as_it_is_written() {
        for tier in AccountTier::ALL {
            assert_eq!(AccountTier::parse(tier.as_str()), Some(*tier));
        }
        assert_eq!(PricingModel::parse("per_segment"), None);
    }
}
