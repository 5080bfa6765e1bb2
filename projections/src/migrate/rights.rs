//! What each role may do where this crate's projections write (`projections/rights/`).

use std::collections::BTreeSet;

use eventstore::rights::{Right, parse};

const DLR: &str = include_str!("../../rights/dlr.sql");
const BILLING: &str = include_str!("../../rights/billing.sql");
const ORCH: &str = include_str!("../../rights/orch.sql");

/// What is declared for the schema `dlr`.
#[must_use]
pub fn dlr() -> BTreeSet<Right> {
    read(DLR)
}

/// What is declared for the schema `billing`.
#[must_use]
pub fn billing() -> BTreeSet<Right> {
    read(BILLING)
}

/// What the orchestrator grants to us in its schema; we never grant anything there.
#[must_use]
pub fn orch() -> BTreeSet<Right> {
    read(ORCH)
}

fn read(text: &str) -> BTreeSet<Right> {
    parse(text).expect("the declarations are read by a test")
}

#[cfg(test)]
mod tests {
    use eventstore::rights::{Kind, ROLES};

    use super::*;

    #[test]
    fn each_declaration_can_be_read_and_is_about_its_own_schema_and_roles_of_ours() {
        for (schema, rights) in [("dlr", dlr()), ("billing", billing()), ("orch", orch())] {
            assert!(rights.len() > 5, "{rights:?}");
            for right in rights {
                assert!(ROLES.contains(&right.role.as_str()), "{right:?}");
                assert_eq!(right.schema(), schema, "{right:?}");
            }
        }
    }

    #[test]
    fn r5_dlr_svc_selects_and_inserts_in_dlr_and_updates_four_columns_of_the_orchestrator() {
        let of = |rights: BTreeSet<Right>| {
            let own = rights.into_iter().filter(|right| right.role == "dlr_svc");
            own.collect::<Vec<_>>()
        };
        for right in of(dlr()) {
            assert!(
                ["USAGE", "SELECT", "INSERT"].contains(&right.verb.as_str()),
                "{right:?}"
            );
        }
        assert_eq!(of(billing()), []);
        let updated: Vec<_> = of(orch())
            .into_iter()
            .filter(|right| right.verb != "SELECT" && right.verb != "USAGE")
            .map(|right| (right.verb, right.kind, right.name))
            .collect();
        let four = ["dlr_received_at", "dlr_status", "processed_at", "status"];
        let due: Vec<_> = four
            .map(|column| {
                let name = format!("orch.sms_messages.{column}");
                ("UPDATE".to_owned(), Kind::Column, name)
            })
            .into();
        assert_eq!(updated, due);
    }

    #[test]
    fn r12_columns_of_personal_data_are_read_by_the_service_that_fills_them_and_nobody_else() {
        let all: Vec<_> = [dlr(), billing(), orch()].into_iter().flatten().collect();
        for (table, column, reader) in [
            ("dlr.delivery_receipts", "source_addr", "dlr_svc"),
            ("dlr.delivery_receipts", "dest_addr", "dlr_svc"),
            ("dlr.orphaned_receipts", "raw_payload", "dlr_svc"),
            ("dlr.orphans", "raw_payload", "dlr_svc"),
            ("billing.account_versions", "legal_name", "billing_svc"),
            ("billing.account_versions", "contact_name", "billing_svc"),
            ("billing.account_versions", "billing_address", "billing_svc"),
            ("billing.account_versions", "vat_id", "billing_svc"),
            ("billing.account_versions", "purchase_order", "billing_svc"),
            ("orch.sms_messages", "to_msisdn", "dlr_svc"),
            ("orch.sms_messages", "metadata", "dlr_svc"),
        ] {
            let column = format!("{table}.{column}");
            let readers: BTreeSet<_> = all
                .iter()
                .filter(|right| right.verb == "SELECT")
                .filter(|right| right.name == table || right.name == column)
                .map(|right| right.role.as_str())
                .collect();
            assert_eq!(readers, [reader].into(), "{column}");
        }
    }

    /// Where a carrier's statement is compared: no record, and nobody's but the service's.
    const DESK: [&str; 4] = [
        "billing.operator_statement_charges",
        "billing.operator_statement_lines",
        "billing.operator_statement_matches",
        "billing.operator_statement_uploads",
    ];

    #[test]
    fn the_auditor_only_reads_and_nobody_but_a_job_deletes_any_record() {
        let mut cleared = BTreeSet::new();
        for right in [dlr(), billing(), orch()].into_iter().flatten() {
            let reads = ["USAGE", "SELECT"].contains(&right.verb.as_str());
            assert!(right.role != "auditor" || reads, "{right:?}");
            let deletes = ["DELETE", "TRUNCATE"].contains(&right.verb.as_str());
            if deletes && right.role != "tollbook_admin" {
                cleared.insert((right.role, right.verb, right.name));
            }
        }
        let due = DESK.map(|table| {
            let [role, verb] = ["billing_svc", "DELETE"].map(str::to_owned);
            (role, verb, table.to_owned())
        });
        assert_eq!(cleared, due.into());
    }

    #[test]
    fn the_tables_where_statements_are_compared_are_the_services_alone() {
        for right in billing() {
            if DESK.iter().any(|table| right.name.starts_with(table)) {
                assert_eq!(right.role, "billing_svc", "{right:?}");
                assert_ne!(right.verb, "UPDATE", "{right:?}");
            }
        }
    }

    #[test]
    fn what_was_charged_is_changed_by_no_service_but_what_it_costs_is() {
        const COSTS: [&str; 8] = [
            "assessed_position",
            "converted_cost",
            "cost_currency",
            "cost_missing",
            "exchange_rate_id",
            "margin",
            "operator_cost",
            "operator_cost_id",
        ];
        let table = "billing.billing_events";
        let mut columns = BTreeSet::new();
        for right in billing() {
            let changes = ["UPDATE", "DELETE"].contains(&right.verb.as_str());
            if !changes || right.role == "tollbook_admin" {
                continue;
            }
            assert_ne!(right.name, table, "{right:?}");
            let column = right.name.strip_prefix(table).map(|name| &name[1..]);
            columns.extend(column.map(ToOwned::to_owned));
        }
        assert!(columns.iter().eq(COSTS), "{columns:?}");
    }
}
