//! No two versions of a price or a cost are in effect at the same time: the tables refuse it.

use tests::stack::PgVersion;
use tokio_postgres::{Client, error::SqlState};
use uuid::Uuid;

use crate::fixture::{base_in, postgres, run, unique};

const PRICE: &str = include_str!("overlap/price_row.sql");
const COST: &str = include_str!("overlap/cost_row.sql");

/// Tries to add a version; the name of the constraint that refuses it, if one does.
async fn refused(
    admin: &Client,
    sql: &str,
    key: &[&Uuid],
    period: [Option<i64>; 2],
) -> Option<String> {
    let key: Vec<Uuid> = key.iter().map(|part| **part).collect();
    let [from, to] = period;
    let added = admin.execute(sql, &[&unique(), &key, &from, &to]).await;
    let error = added.err()?;
    assert_eq!(
        error.code(),
        Some(&SqlState::EXCLUSION_VIOLATION),
        "{error}"
    );
    let constraint = error.as_db_error().and_then(|error| error.constraint());
    constraint.map(ToOwned::to_owned)
}

async fn holds(version: PgVersion) {
    let base = base_in(postgres(version).await).await;
    let admin = base.admin().await;
    let (tenant, other, operator) = (unique(), unique(), unique());
    for (sql, name, key) in [
        (
            PRICE,
            "pricing_tables_own_do_not_overlap",
            vec![&operator, &tenant],
        ),
        (
            PRICE,
            "pricing_tables_platforms_do_not_overlap",
            vec![&operator],
        ),
        (COST, "operator_costs_do_not_overlap", vec![&operator]),
    ] {
        let overlap = Some(name.to_owned());
        for (period, expected) in [
            ([Some(10), Some(20)], None),
            ([Some(20), Some(30)], None),
            ([Some(5), Some(11)], overlap.clone()),
            ([Some(12), Some(13)], overlap.clone()),
            ([Some(29), None], overlap.clone()),
            // Withdrawn before it began.
            ([Some(15), Some(15)], None),
            ([Some(30), None], None),
            ([Some(99), None], overlap),
        ] {
            assert_eq!(
                refused(&admin, sql, &key, period).await,
                expected,
                "{period:?}"
            );
        }
    }
    // Somebody else's price is another key, and no tenant stands for the platform.
    for tenant in [other, Uuid::nil()] {
        let key = [&operator, &tenant];
        let added = refused(&admin, PRICE, &key, [Some(12), Some(13)]).await;
        assert_eq!(added, None, "{tenant}");
    }
}

#[test]
fn versions_of_one_key_cannot_overlap_in_the_table() {
    run(async {
        holds(PgVersion::V18).await;
        if PgVersion::V15.available() {
            holds(PgVersion::V15).await;
        }
    });
}
