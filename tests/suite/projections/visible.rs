//! Who says nothing sees nothing, who works for a tenant sees that one and writes nothing, and who
//! works for all sees all.

use projections::{Scope, charges::billing_events::charged_by_the_platform};
use schema::{
    AccountTier, AdjustmentId, Direction, MessageId, Period, PriceKey, PricingTableId, TenantId,
};
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::fixture::{
    Books, Charge, OPERATOR, Payer, Then, account, adjusted, charged, contradicted, euro, held,
    minute, opened, price,
};
use crate::fixture::{run, unique};

const TABLES: [&str; 8] = [
    "adjustments",
    "billing_events",
    "usage_summaries",
    "usage_days",
    "pricing_tables",
    "accounts",
    "held_charges",
    "charge_conflicts",
];

/// A row of each payer in every table, and a price of the platform.
async fn filled(books: &Books, payers: &[Payer]) {
    let open = |payer| {
        let period = Period {
            effective_from: minute(0),
            effective_to: None,
        };
        let opened = opened(PricingTableId(unique()), payer, period);
        price(payer, 0, vec![opened])
    };
    let mut appends = vec![open(None)];
    for payer in payers {
        let charge = Charge {
            payer: *payer,
            operator: OPERATOR,
            currency: euro(),
            at: minute(10),
            price: 2_000,
            own: false,
        };
        appends.push(open(Some(*payer)));
        appends.push(account(*payer, 0, AccountTier::Growth));
        appends.push(charged(MessageId(unique()), 0, charge));
        appends.push(adjusted(AdjustmentId(unique()), *payer, Then::Approved));
        let waits = MessageId(unique());
        appends.push(held(waits, *payer, minute(5)));
        appends.push(contradicted(waits, 1, *payer, minute(5)));
    }
    books.record(appends).await;
    books.show().await;
}

/// The tenants whose rows a transaction of the service sees.
async fn seen(books: &Books, table: &'static str, scope: Option<Scope>) -> Vec<Option<Uuid>> {
    let pool = books.base.pool("billing_svc");
    let mut client = pool.unhurried("seen").await.expect("a client");
    let transaction = client.transaction().await.expect("begins");
    if let Some(scope) = scope {
        scope.enter(&transaction).await.expect("entered");
    }
    let sql = format!("select tenant_id from billing.{table} order by tenant_id");
    let rows = transaction.query(&sql, &[]).await.expect("may read");
    rows.iter().map(|row| row.get(0)).collect()
}

#[test]
fn the_service_sees_the_rows_it_says_it_works_for() {
    run(async {
        let books = Books::open().await;
        let (one, other) = (books.payer().await, books.payer().await);
        filled(&books, &[one, other]).await;
        let mut both = vec![Some(one.tenant.0), Some(other.tenant.0)];
        both.sort_unstable();
        for table in TABLES {
            assert_eq!(seen(&books, table, None).await, [], "{table}");
            for payer in [one, other] {
                let own = seen(&books, table, Some(Scope::Tenant(payer.tenant))).await;
                assert_eq!(own, [Some(payer.tenant.0)], "{table}");
            }
            let nobody = Scope::Tenant(TenantId(unique()));
            assert_eq!(seen(&books, table, Some(nobody)).await, [], "{table}");
            let mut all = seen(&books, table, Some(Scope::EveryTenant)).await;
            if table == "pricing_tables" {
                assert_eq!(all.pop(), Some(None), "the platform's price");
            }
            assert_eq!(all, both, "{table}");
        }
    });
}

#[test]
fn who_works_for_one_tenant_writes_nothing() {
    run(async {
        let books = Books::open().await;
        let payer = books.payer().await;
        filled(&books, &[payer]).await;
        let pool = books.base.pool("billing_svc");
        let mut client = pool.unhurried("writing").await.expect("a client");
        let transaction = client.transaction().await.expect("begins");
        let scope = Scope::Tenant(payer.tenant);
        scope.enter(&transaction).await.expect("entered");
        let update = "update billing.held_charges set resolved_at = now()";
        let updated = transaction
            .execute(update, &[])
            .await
            .expect("sees none to update");
        assert_eq!(updated, 0);
        let insert = "insert into billing.held_charges
            select log_id, position + 1000, gen_random_uuid(), tenant_id, account_id, account_tier,
                operator_id, direction, currency, dlr_status, segment_count, charged_at, rated_at,
                reason, held_at
            from billing.held_charges";
        let refused = transaction.execute(insert, &[]).await.expect_err("refused");
        assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
        drop(transaction);
        let delete = "delete from billing.held_charges";
        let refused = client.execute(delete, &[]).await.expect_err("refused");
        assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
    });
}

#[test]
fn charges_at_the_platforms_price_are_found_by_tenant_key_and_time() {
    run(async {
        let books = Books::open().await;
        let (one, other) = (books.payer().await, books.payer().await);
        filled(&books, &[one]).await;
        let asked = async |payer: Payer, tier, from, to: Option<i64>| {
            let own = PriceKey {
                tenant: Some(payer.tenant),
                account_tier: tier,
                operator_id: OPERATOR,
                direction: Direction::Mt,
                currency: euro(),
            };
            let period = Period {
                effective_from: minute(from),
                effective_to: to.map(minute),
            };
            let found = charged_by_the_platform(&books.reader, &[(own, period)]).await;
            found.expect("answers") == [true]
        };
        let tier = AccountTier::Growth;
        assert!(asked(one, tier, 10, None).await);
        assert!(asked(one, tier, 0, Some(11)).await);
        assert!(!asked(one, tier, 0, Some(10)).await, "the end is not in it");
        assert!(!asked(one, tier, 11, None).await);
        assert!(!asked(one, AccountTier::Custom, 0, None).await);
        assert!(!asked(other, tier, 0, None).await);
        // Many at once are answered in the order asked; of nobody's own price nothing is found.
        let own = |payer: Option<Payer>| PriceKey {
            tenant: payer.map(|payer| payer.tenant),
            account_tier: tier,
            operator_id: OPERATOR,
            direction: Direction::Mt,
            currency: euro(),
        };
        let all = Period {
            effective_from: minute(0),
            effective_to: None,
        };
        let many = [Some(other), Some(one), None, Some(one)].map(|payer| (own(payer), all));
        let found = charged_by_the_platform(&books.reader, &many).await;
        assert_eq!(found.expect("answers"), [false, true, false, true]);
    });
}
