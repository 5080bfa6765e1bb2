//! Everything is shown once, in several goes or in one, and usage is the sum of the charges.

use projections::{
    Page, Scope,
    accounts::{
        account_versions::{self, AccountFilter},
        accounts,
    },
    charges::{
        held_charges::{self, HeldFilter},
        usage_summaries::{Granularity, UsageOf, usage},
    },
    prices::{pricing_tables::PriceFilter, versions},
};
use schema::{
    AccountTier, AdjustmentId, Currency, MessageId, OperatorCostId, OperatorId, Period,
    PricingTableId, Sealed, StreamVersion, Timestamp, versioned::Price,
};
use tests::world::billing_projections;
use time::{Date, Month};
use uuid::Uuid;

use super::fixture::{
    Books, Charge, OPERATOR, Payer, Then, account, adjusted, charged, closed, contradicted, cost,
    erasure, euro, held, key, minute, opened, price, statement,
};
use crate::fixture::{run, unique};

/// The `number`th of many charges: over four days, two carriers and two currencies.
fn many(payers: &[Payer], number: i64) -> Charge {
    let pick = usize::try_from(number).expect("small");
    let dollar = Currency::parse("USD").expect("a currency");
    Charge {
        payer: payers[pick % payers.len()],
        operator: [OPERATOR, OperatorId(Uuid::from_u128(0x0c))][pick / 5 % 2],
        currency: if pick.is_multiple_of(7) {
            dollar
        } else {
            euro()
        },
        at: minute(number * 7),
        price: number * 1_002,
        own: pick.is_multiple_of(2),
    }
}

/// Everything that can happen, in several goes, each shown before the next.
async fn busy(books: &Books) -> (Vec<Payer>, PricingTableId) {
    let payers = vec![books.payer().await, books.payer().await, Books::erased()];
    let (first, second) = (PricingTableId(unique()), PricingTableId(unique()));
    let (waits, waited) = (MessageId(unique()), MessageId(unique()));
    let from = |at| Period {
        effective_from: at,
        effective_to: None,
    };
    let charges = |numbers: std::ops::Range<i64>| {
        let charge = |number| charged(MessageId(unique()), 0, many(&payers, number));
        numbers.map(charge).collect::<Vec<_>>()
    };
    let late = Charge {
        own: false,
        ..many(&payers, 3)
    };
    let goes = [
        vec![
            account(payers[0], 0, AccountTier::Growth),
            price(None, 0, vec![opened(first, None, from(minute(0)))]),
            cost(OperatorCostId(unique())),
            held(waits, payers[1], minute(1)),
            held(waited, payers[0], minute(2)),
            erasure(),
            adjusted(AdjustmentId(unique()), payers[0], Then::Waits),
            adjusted(AdjustmentId(unique()), payers[1], Then::Approved),
            adjusted(AdjustmentId(unique()), payers[2], Then::Rejected),
            statement(),
        ],
        charges(0..400),
        vec![
            contradicted(waits, 1, payers[1], minute(1)),
            account(payers[0], 1, AccountTier::Enterprise),
            price(
                None,
                1,
                vec![
                    closed(first, None, minute(90)),
                    opened(second, None, from(minute(90))),
                ],
            ),
            charged(waited, 1, late),
        ],
        charges(400..823),
        vec![price(None, 3, vec![closed(first, None, minute(60))])],
    ];
    for appends in goes {
        books.record(appends).await;
        books.show().await;
    }
    (payers, first)
}

#[test]
fn applying_everything_of_billing_twice_changes_no_table() {
    run(async {
        let books = Books::open().await;
        busy(&books).await;
        let before = books.shown().await;
        let reset = "delete from eventlog.progress";
        let reset = books.admin.execute(reset, &[]).await;
        let all = u64::try_from(billing_projections().len()).expect("a small number");
        assert_eq!(reset.expect("a superuser may"), all, "each had begun");
        books.show().await;
        assert_eq!(books.shown().await, before);
    });
}

#[test]
fn the_sums_of_the_buckets_are_the_sums_of_the_charges() {
    run(async {
        let books = Books::open().await;
        let (payers, _) = busy(&books).await;
        let sql = include_str!("sums/uneven.sql");
        let row = books.admin.query_one(sql, &[]).await.expect("reads");
        let (hours, days, buckets): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
        assert_eq!((hours, days), (0, 0), "uneven buckets");
        assert!(buckets > 300, "only {buckets} buckets");

        let sum = "select sum(customer_price)::text, count(*) from billing.billing_events
            where account_id = $1 and currency = 'EUR'";
        for payer in payers {
            let row = books.admin.query_one(sum, &[&payer.account.0]).await;
            let row = row.expect("reads");
            let expected: (String, i64) = (row.get(0), row.get(1));
            for granularity in [Granularity::Hour, Granularity::Day, Granularity::Month] {
                let told = usage(
                    &books.reader,
                    Scope::Tenant(payer.tenant),
                    of(payer, granularity),
                );
                let told = told.await.expect("answers");
                let euros = told.iter().find(|usage| usage.currency == euro());
                let total = euros.expect("euros").total;
                let told = (total.customer_price.to_string(), total.messages);
                assert_eq!(told, expected);
            }
        }
    });
}

fn of(payer: Payer, granularity: Granularity) -> UsageOf {
    let day = |month, day| Date::from_calendar_date(2026, month, day).expect("a day");
    UsageOf {
        tenant: payer.tenant,
        account: payer.account,
        from: day(Month::February, 27),
        to: day(Month::March, 2),
        granularity,
        operator: None,
    }
}

#[test]
fn usage_is_told_by_hour_day_and_month_and_the_last_day_is_included() {
    run(async {
        let books = Books::open().await;
        let payer = books.payer().await;
        let charge = |at| {
            let charge = Charge {
                at,
                payer,
                price: 2_000,
                own: true,
                operator: OPERATOR,
                currency: euro(),
            };
            charged(MessageId(unique()), 0, charge)
        };
        let time = |text: &str| Timestamp::parse(text).expect("a time");
        let times = [
            "2026-02-26T23:59:59.999999Z",
            "2026-02-27T00:00:00Z",
            "2026-02-28T23:59:59.999999Z",
            "2026-03-02T23:10:00Z",
            "2026-03-02T23:59:59.999999Z",
            "2026-03-03T00:00:00Z",
        ];
        let charges = times.iter().map(|at| charge(time(at))).collect();
        books.record(charges).await;
        books.show().await;
        let told = async |granularity, operator| {
            let of = UsageOf {
                operator,
                ..of(payer, granularity)
            };
            let told = usage(&books.reader, Scope::EveryTenant, of).await;
            let mut told = told.expect("answers");
            let buckets = told.pop().map(|usage| usage.buckets).unwrap_or_default();
            let bucket = |bucket: &projections::charges::usage_summaries::Bucket| {
                (
                    bucket.begins.to_string()[..13].to_owned(),
                    bucket.figures.messages,
                )
            };
            buckets.iter().map(bucket).collect::<Vec<_>>()
        };
        let expected = |buckets: &[(&str, i64)]| {
            let owned = |(begins, messages): &(&str, i64)| ((*begins).to_owned(), *messages);
            buckets.iter().map(owned).collect::<Vec<_>>()
        };
        let hours = [
            ("2026-02-27T00", 1),
            ("2026-02-28T23", 1),
            ("2026-03-02T23", 2),
        ];
        assert_eq!(told(Granularity::Hour, None).await, expected(&hours));
        let days = [
            ("2026-02-27T00", 1),
            ("2026-02-28T00", 1),
            ("2026-03-02T00", 2),
        ];
        assert_eq!(
            told(Granularity::Day, Some(OPERATOR)).await,
            expected(&days)
        );
        let months = [("2026-02-01T00", 2), ("2026-03-01T00", 2)];
        assert_eq!(told(Granularity::Month, None).await, expected(&months));
        let nobody = Some(OperatorId(unique()));
        assert!(told(Granularity::Day, nobody).await.is_empty());
    });
}

#[test]
fn prices_accounts_and_held_charges_are_shown_as_they_are_now() {
    run(async {
        let books = Books::open().await;
        let (payers, first) = busy(&books).await;
        let reader = &books.reader;
        let all = PriceFilter {
            of: Some(None),
            account_tier: Some(key(None).account_tier),
            ..PriceFilter::default()
        };
        let list = versions::list::<Price>(reader, all, None, Page::WHOLE).await;
        let list = list.expect("answers");
        let ends: Vec<_> = list.iter().map(|one| one.period.effective_to).collect();
        assert_eq!(ends, [Some(minute(60)), None]);
        let after = Page {
            after: Some(list[0].position),
            limit: 1,
        };
        let rest = versions::list::<Price>(reader, all, None, after).await;
        assert_eq!(rest.expect("answers"), list[1..]);
        let then = Some(minute(70));
        let active = versions::list::<Price>(reader, all, then, Page::WHOLE).await;
        assert_eq!(active.expect("answers"), [], "a gap from 60 to 90");
        let one = versions::one::<Price>(reader, first)
            .await
            .expect("answers");
        assert_eq!(one.as_ref(), list.first());
        assert!(list[0].changed_position > list[1].position);
        assert_eq!(list[0].closed_by.as_deref(), Some("somebody"));
        let by_request = versions::by_request::<Price>(reader, first.0).await;
        assert_eq!(by_request.expect("answers"), one);

        let (account, now) = (payers[0].account, minute(60));
        let told = account_versions::in_effect(reader, account, now).await;
        let told = told.expect("answers").expect("registered");
        assert_eq!(told.tenant, payers[0].tenant);
        assert_eq!(told.facts.account_tier, AccountTier::Enterprise);
        let name = told.sealed.0[Sealed::LEGAL_NAME].0.as_str();
        assert_eq!((name, told.sealed_version), ("1.name-1", StreamVersion(2)));
        let history = account_versions::history(reader, account, Page::WHOLE).await;
        let history = history.expect("answers");
        let replaced: Vec<_> = history.iter().map(|version| version.replaced).collect();
        assert_eq!(replaced, [true, false], "both begin at the same time");
        assert_eq!(history[1], told);
        let at = account_versions::told_at(reader, told.position).await;
        assert_eq!(at.expect("answers").as_ref(), Some(&told));
        let filter = AccountFilter {
            tenant: Some(payers[0].tenant),
            tier: Some(AccountTier::Enterprise),
        };
        let list = account_versions::list(reader, filter, now, Page::WHOLE).await;
        assert_eq!(list.expect("answers"), [told]);
        let before = account_versions::list(reader, filter, minute(-1), Page::WHOLE).await;
        assert_eq!(before.expect("answers"), [], "before its first version");
        for payer in &payers[..2] {
            let tenant = accounts::tenant_of(reader, payer.account).await;
            assert_eq!(tenant.expect("answers"), Some(payer.tenant));
        }

        let scope = Scope::EveryTenant;
        let waiting = held_charges::list(reader, scope, HeldFilter::default(), Page::WHOLE).await;
        let tenants: Vec<_> = waiting
            .expect("answers")
            .iter()
            .map(|one| one.tenant)
            .collect();
        assert_eq!(tenants, [payers[1].tenant], "the other one was charged");
        let count = held_charges::count(reader, scope, HeldFilter::default()).await;
        assert_eq!(count.expect("answers"), 1);
    });
}
