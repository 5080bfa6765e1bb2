//! The contract that every implementation is held to, against Postgres 18 and 15, as the role
//! that services have.

use std::sync::Arc;

use eventstore::{EventStore, contract};
use tests::stack::PgVersion;

use crate::fixture::{base_in, dense, postgres, run};

async fn holds_on(version: PgVersion) {
    let base = base_in(postgres(version).await).await;
    let log: Arc<dyn EventStore> = Arc::new(base.log("dlr_svc"));
    let cases = contract::cases();
    assert!(cases.len() >= 12, "the contract has lost cases");
    for (name, case) in cases {
        eprintln!("{version:?} {name}");
        case(Arc::clone(&log)).await;
    }
    assert!(dense(&base.admin().await).await > 0, "nothing was recorded");
}

#[test]
fn l1_to_l7_the_contract_holds_on_postgres_18() {
    run(holds_on(PgVersion::V18));
}

#[test]
fn l1_to_l7_the_contract_holds_on_postgres_15() {
    if PgVersion::V15.available() {
        run(holds_on(PgVersion::V15));
    } else {
        eprintln!("skipped: apt-get install postgresql-15 lets this run");
    }
}
