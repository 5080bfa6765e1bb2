//! Adjustments: what must hold between the people who propose and those who decide, and the rows of
//! `billing.adjustments`.

use std::collections::{HashMap, HashSet};

use schema::Timestamp;
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    Invariant,
    adjustment_facts::{Adjustment, Facts, Stage},
    facts::{Body, Log, LogEvent},
    findings::Findings,
    load::{LOG_ID, Result, each, timestamp},
};
use crate::money::Millionths;

/// What is known of accounts and charges on the way through the log.
#[derive(Default)]
struct Known<'a> {
    /// Accounts with a tenant that registered them.
    registered: HashSet<(Uuid, Option<Uuid>)>,
    /// Accounts with currencies that they were registered with or charged in.
    currencies: HashSet<(Uuid, &'a str)>,
    /// Account and currency of charges, by message.
    charges: HashMap<Uuid, (Option<Uuid>, &'a str)>,
    /// Proposals, each with whether it is decided.
    proposals: HashMap<Uuid, (&'a LogEvent, &'a Adjustment, bool)>,
}

/// Walks the log once.
pub(super) fn check(log: &Log, findings: &mut Findings) {
    let mut known = Known::default();
    for event in &log.events {
        match &event.body {
            Body::Account(told) => {
                let id = told.account.account_id;
                known.registered.insert((id, event.tenant));
                known.currencies.insert((id, &told.account.currency));
            }
            Body::Charged(charged) => {
                let message = charged.settlement.message_id;
                let currency = &*charged.currency;
                known.charges.insert(message, (event.account, currency));
                let account = event.account.unwrap_or_default();
                known.currencies.insert((account, currency));
            }
            Body::Adjustment(adjustment) => {
                let holds = known.takes(event, adjustment);
                findings.hold(Invariant::AdjustedByTwo, holds, || {
                    let id = adjustment.facts.adjustment_id;
                    format!("position {}: adjustment {id}", event.position)
                });
            }
            _ => {}
        }
    }
}

impl<'a> Known<'a> {
    /// Whether an event of an adjustment is as it must be after all before it.
    fn takes(&mut self, event: &'a LogEvent, adjustment: &'a Adjustment) -> bool {
        let facts = &adjustment.facts;
        let person = adjustment.actor();
        let principal = event.principal.as_deref().unwrap_or_default();
        // `token <tenant> <issuer> <subject>`
        let named = principal.ends_with(&format!(" {} {}", person.issuer, person.subject));
        let owned = event.account == Some(facts.account_id);
        if adjustment.stage == Stage::Proposed {
            let first = self
                .proposals
                .insert(facts.adjustment_id, (event, adjustment, false))
                .is_none();
            let registered = (facts.account_id, event.tenant);
            return first
                && named
                && owned
                && facts.amount != Millionths::default()
                && self.registered.contains(&registered)
                && self.pays_in(facts);
        }
        let Some((proposal, proposed, decided)) = self.proposals.get_mut(&facts.adjustment_id)
        else {
            return false;
        };
        let two = adjustment.stage == Stage::Rejected
            || adjustment.decided_by.as_ref() != Some(&proposed.proposed_by);
        let again = std::mem::replace(decided, true);
        !again
            && two
            && named
            && owned
            && event.tenant == proposal.tenant
            && proposed.facts == *facts
            && proposed.proposed_by == adjustment.proposed_by
    }

    fn pays_in(&self, facts: &Facts) -> bool {
        match facts.message_id {
            Some(message) => {
                let charge = self.charges.get(&message);
                charge == Some(&(Some(facts.account_id), &*facts.currency))
            }
            None => self
                .currencies
                .contains(&(facts.account_id, &*facts.currency)),
        }
    }
}

/// One row of `billing.adjustments`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AdjustmentRow {
    pub(super) position: i64,
    pub(super) adjustment_id: Uuid,
    pub(super) tenant_id: Uuid,
    pub(super) account_id: Uuid,
    pub(super) amount: Millionths,
    /// Currency, status.
    pub(super) words: [String; 2],
    pub(super) message_id: Option<Uuid>,
    pub(super) proposed: (String, Timestamp),
    pub(super) decided: Option<(String, Timestamp)>,
    pub(super) changed_position: i64,
}

/// The row that is due after `event`, on an account of `tenant`; `before` is what was due until then.
pub(super) fn row(
    tenant: Uuid,
    event: &LogEvent,
    adjustment: &Adjustment,
    before: Option<&AdjustmentRow>,
) -> AdjustmentRow {
    let facts = &adjustment.facts;
    let who = event.principal.as_deref().unwrap_or_default().to_owned();
    let status = match adjustment.stage {
        Stage::Proposed => "PROPOSED",
        Stage::Approved => "APPROVED",
        Stage::Rejected => "REJECTED",
    };
    let now = (who, event.recorded_at);
    let words = [facts.currency.to_string(), status.to_owned()];
    match before {
        Some(before) => AdjustmentRow {
            words,
            decided: Some(now),
            changed_position: event.position,
            ..before.clone()
        },
        None => AdjustmentRow {
            position: event.position,
            adjustment_id: facts.adjustment_id,
            tenant_id: tenant,
            account_id: facts.account_id,
            amount: facts.amount,
            words,
            message_id: facts.message_id,
            proposed: now,
            decided: None,
            changed_position: event.position,
        },
    }
}

/// Hands over every row of `billing.adjustments`.
pub(super) async fn rows(client: &Client, mut see: impl FnMut(AdjustmentRow)) -> Result<()> {
    let sql = include_str!("adjustments.sql");
    each(client, "the adjustments", sql, &[&LOG_ID], |row| {
        let amount: &str = row.try_get(4)?;
        let decided_by: Option<String> = row.try_get(10)?;
        let decided_at: Option<time::OffsetDateTime> = row.try_get(11)?;
        see(AdjustmentRow {
            position: row.try_get(0)?,
            adjustment_id: row.try_get(1)?,
            tenant_id: row.try_get(2)?,
            account_id: row.try_get(3)?,
            amount: Millionths::parse(amount).unwrap_or_default(),
            words: [row.try_get(5)?, row.try_get(6)?],
            message_id: row.try_get(7)?,
            proposed: (row.try_get(8)?, timestamp(row, 9)?),
            decided: decided_by.zip(decided_at.map(Timestamp::from_datetime)),
            changed_position: row.try_get(12)?,
        });
        Ok(())
    })
    .await
}
