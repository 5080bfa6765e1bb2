//! `billing.account_versions`: every version of every account that was ever told. Shown by the
//! projection of [`super::accounts`].

mod queries;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use rust_decimal::Decimal;
use schema::{Event, Sealed, Timestamp, event::AccountFacts};
use time::OffsetDateTime;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

pub use self::queries::{AccountFilter, AccountVersion, history, in_effect, list, told_at};
use crate::{ApplyError, Batch};

const REPLACE: Statement = Statement::new(include_str!("account_versions/replace.sql"));
const INSERT: Statement = Statement::new(include_str!("account_versions/insert.sql"));

/// Shows what a batch tells of accounts; the transaction is under its scope already.
pub(super) async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
    let rows = Columns::of(batch);
    rows.replace(transaction, batch.log.0).await?;
    rows.insert(transaction, batch.log.0).await
}

/// What an event tells of an account: a version, and when that begins.
pub(super) fn told(event: &RecordedEvent) -> Option<(&AccountFacts, Timestamp)> {
    match &event.data.event {
        Event::AccountRegistered(told) => Some((&told.account, told.effective_from)),
        Event::AccountChanged(told) => Some((&told.account, told.effective_from)),
        _ => None,
    }
}

#[derive(Default)]
struct Columns<'a> {
    position: Vec<i64>,
    tenant: Vec<Option<Uuid>>,
    account: Vec<Uuid>,
    begins: Vec<OffsetDateTime>,
    tier: Vec<&'static str>,
    currency: Vec<&'a str>,
    days: Vec<i16>,
    language: Vec<&'static str>,
    category: Vec<&'static str>,
    rate: Vec<Decimal>,
    country: Vec<&'a str>,
    /// By field, in the order of [`SEALED`].
    sealed: [Vec<Option<&'a str>>; SEALED.len()],
    sealed_version: Vec<i32>,
    told_by: Vec<&'a str>,
    told_at: Vec<OffsetDateTime>,
    /// The version of this batch that took its place.
    replaced: Vec<Option<i64>>,
    /// By account and beginning: the places in the columns of the first version and the last one.
    by_beginning: BTreeMap<(Uuid, Timestamp), (usize, usize)>,
}

/// What is sealed, in the order of the columns.
const SEALED: [&str; 5] = [
    Sealed::LEGAL_NAME,
    Sealed::CONTACT_NAME,
    Sealed::BILLING_ADDRESS,
    Sealed::VAT_ID,
    Sealed::PURCHASE_ORDER,
];

impl<'a> Columns<'a> {
    fn of(events: &'a [Arc<RecordedEvent>]) -> Self {
        let mut columns = Self::default();
        for event in events {
            if let Some((facts, begins)) = told(event) {
                columns.push(event, facts, begins);
            }
        }
        columns
    }

    fn push(&mut self, event: &'a RecordedEvent, facts: &'a AccountFacts, begins: Timestamp) {
        let place = self.position.len();
        match self.by_beginning.entry((facts.account_id.0, begins)) {
            Entry::Vacant(new) => {
                new.insert((place, place));
            }
            Entry::Occupied(mut known) => {
                let (_, last) = known.get_mut();
                self.replaced[*last] = Some(event.position.0);
                *last = place;
            }
        }
        self.position.push(event.position.0);
        self.tenant.push(event.data.tenant.map(|tenant| tenant.0));
        self.account.push(facts.account_id.0);
        self.begins.push(begins.datetime());
        self.tier.push(facts.account_tier.as_str());
        self.currency.push(facts.currency.as_str());
        // Unwrap safety: a year has fewer days than that.
        let days = i16::try_from(facts.payment_terms_days.days()).expect("at most 365");
        self.days.push(days);
        self.language.push(facts.invoice_language.as_str());
        self.category.push(facts.tax.category.as_str());
        self.rate.push(facts.tax.rate.percent());
        self.country.push(facts.tax.country.as_str());
        for (column, field) in self.sealed.iter_mut().zip(SEALED) {
            let sealed = event.data.sealed.0.get(field);
            column.push(sealed.map(|sealed| sealed.0.as_str()));
        }
        self.sealed_version.push(event.version.0);
        self.told_by.push(&event.data.principal);
        self.told_at.push(event.recorded_at.datetime());
        self.replaced.push(None);
    }

    /// What older rows gave their place to: the first version of each beginning.
    async fn replace(&self, transaction: &Transaction<'_>, log: i16) -> Result<(), ApplyError> {
        let (mut account, mut begins, mut position) = (Vec::new(), Vec::new(), Vec::new());
        for ((of, from), (first, _)) in &self.by_beginning {
            account.push(*of);
            begins.push(from.datetime());
            position.push(self.position[*first]);
        }
        let parameters: [&(dyn ToSql + Sync); 4] = [&log, &account, &begins, &position];
        Ok(REPLACE.execute(transaction, &parameters).await?)
    }

    async fn insert(&self, transaction: &Transaction<'_>, log: i16) -> Result<(), ApplyError> {
        let [legal_name, contact_name, address, vat_id, purchase_order] = &self.sealed;
        let parameters: [&(dyn ToSql + Sync); 21] = [
            &log,
            &self.position,
            &self.tenant,
            &self.account,
            &self.begins,
            &self.tier,
            &self.currency,
            &self.days,
            &self.language,
            &self.category,
            &self.rate,
            &self.country,
            legal_name,
            contact_name,
            address,
            vat_id,
            purchase_order,
            &self.sealed_version,
            &self.told_by,
            &self.told_at,
            &self.replaced,
        ];
        Ok(INSERT.execute(transaction, &parameters).await?)
    }
}

#[cfg(test)]
mod tests {
    use schema::{SealedValue, StreamVersion};

    use super::*;
    use crate::fixture;

    #[test]
    fn a_version_gives_its_place_to_a_later_one_of_the_same_beginning() {
        let first = fixture::recorded((&"AccountChanged", 1));
        let mut other = fixture::recorded((&"AccountRegistered", 2));
        let mut again = fixture::recorded((&"AccountChanged", 3));
        other.version = StreamVersion(2);
        again.version = StreamVersion(3);
        let name = SealedValue("1.sealed".to_owned());
        again.data.sealed = Sealed([(Sealed::LEGAL_NAME.to_owned(), name)].into());
        let Event::AccountChanged(told) = &again.data.event else {
            panic!("{again:?}");
        };
        let key = (told.account.account_id.0, told.effective_from);
        let events = fixture::batch([first, other, again]);
        let rows = Columns::of(&events);
        assert_eq!(rows.replaced, [Some(3), None, None]);
        assert_eq!(rows.by_beginning[&key], (0, 2));
        assert_eq!(rows.tier, ["ENTERPRISE", "GROWTH", "ENTERPRISE"]);
        assert_eq!(rows.rate[1].to_string(), "19.00");
        assert_eq!(rows.sealed[0], [None, None, Some("1.sealed")]);
        assert_eq!(rows.sealed_version, [1, 2, 3]);
    }
}
