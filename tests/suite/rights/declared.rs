//! The catalog says what is declared, after every migration, whatever somebody granted in between.

use std::collections::BTreeSet;

use eventstore::migrate::{Done, run as migrate};
use tokio_postgres::Client;

use super::declared;
use crate::fixture::{base, run};

/// What somebody grants and takes past the declaration.
const HARMS: [&str; 12] = [
    "grant update on eventlog.event to dlr_svc",
    "grant select on eventlog.data_key to auditor",
    "grant select (legal_name) on billing.account_versions to auditor",
    "grant delete, truncate on billing.billing_events to billing_svc",
    "grant trigger, references on dlr.delivery_receipts to tollbook_admin",
    "grant select on eventlog.tenant to public",
    "grant execute on function eventlog.judge to public",
    "grant create on schema eventlog to billing_svc",
    "grant usage on schema billing to dlr_svc",
    "grant select on dlr.orphaned_receipts to dlr_svc with grant option",
    "revoke insert on dlr.delivery_receipts from dlr_svc",
    "revoke select on eventlog.head, eventlog.log from auditor, billing_svc",
];

async fn migrated(admin: &mut Client) -> Done {
    let done = migrate(admin, projections::migrate::schemas()).await;
    done.expect("migrates")
}

#[test]
fn migrating_gives_what_is_declared_and_takes_what_is_not() {
    run(async {
        let base = base().await;
        let mut admin = base.admin().await;
        let done = migrated(&mut admin).await;
        assert!(done.granted.is_empty(), "nothing is missing: {done:?}");
        assert!(done.revoked.is_empty(), "nothing is too much: {done:?}");
        for harm in HARMS {
            admin.batch_execute(harm).await.expect("a superuser may");
        }
        let done = migrated(&mut admin).await;
        assert_eq!(done.granted.len(), 5, "{done:#?}");
        assert_eq!(done.revoked.len(), 12, "{done:#?}");
        let done = migrated(&mut admin).await;
        assert!(
            done.granted.is_empty() && done.revoked.is_empty(),
            "{done:?}"
        );
    });
}

#[test]
fn rights_of_others_in_our_schemas_stay() {
    run(async {
        let base = base().await;
        let mut admin = base.admin().await;
        // Docs/ROLES.md lets other teams read, under the policies.
        let sql = include_str!("../isolation/a_reader.sql");
        admin.batch_execute(sql).await.expect("a superuser may");
        let done = migrated(&mut admin).await;
        assert!(done.revoked.is_empty(), "{done:?}");
    });
}

#[test]
fn every_column_of_a_record_is_read_by_the_auditor_or_holds_personal_data_or_a_key() {
    /// Where a carrier's statement is compared: empty but while one is, and no record of anything.
    const DESK: [&str; 4] = [
        "billing.operator_statement_charges",
        "billing.operator_statement_lines",
        "billing.operator_statement_matches",
        "billing.operator_statement_uploads",
    ];
    run(async {
        let admin = base().await.admin().await;
        let rights = declared();
        let readable: BTreeSet<_> = rights
            .iter()
            .filter(|right| right.role == "auditor" && right.verb == "SELECT")
            .map(|right| right.name.as_str())
            .collect();
        let sql = include_str!("relations.sql");
        let rows = admin.query(sql, &[]).await.expect("reads");
        let unread: Vec<_> = rows
            .iter()
            .map(|row| (row.get(0), row.get(1), row.get(3)))
            .filter(|(schema, table, _): &(String, String, String)| {
                let ours = schema != "orch" && table != "migration";
                let name = format!("{schema}.{table}");
                ours && !DESK.contains(&&*name) && !readable.contains(&*name)
            })
            .map(|(schema, table, column)| format!("{schema}.{table}.{column}"))
            .filter(|name| !readable.contains(name.as_str()))
            .filter(|name| !name.starts_with("eventlog.data_key."))
            .collect();
        assert_eq!(
            unread,
            [
                "billing.account_versions.legal_name",
                "billing.account_versions.contact_name",
                "billing.account_versions.billing_address",
                "billing.account_versions.vat_id",
                "billing.account_versions.purchase_order",
                "billing.adjustments.reason",
                "billing.adjustments.rejection_reason",
                "dlr.delivery_receipts.source_addr",
                "dlr.delivery_receipts.dest_addr",
                "dlr.orphaned_receipts.raw_payload",
                "dlr.orphans.raw_payload",
                // Whom a row still names that is about to name nobody.
                "eventlog.erased_tenant.tenant_id",
            ]
        );
    });
}
