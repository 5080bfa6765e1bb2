//! Every role, every table, column and function, every right: tried, and allowed exactly where it is
//! declared. Most cells are statements that would do nothing; where Postgres says no for other
//! reasons first (a view, a generated column, a trigger), the catalog is asked instead.

use std::collections::BTreeSet;

use eventstore::rights::{Kind, Right};
use futures::future::join_all;
use tests::stack::PgVersion;
use tokio_postgres::{Client, error::SqlState};

use super::declared;
use crate::fixture::{ACCOUNTS, Base, base_in, postgres, run};

/// Somebody whom nobody has granted anything: what everybody may.
const STRANGER: &str = "a_stranger";
/// Attempts in flight at a time.
const PIPELINED: usize = 256;

/// A right, and the statement that needs it.
struct Cell {
    kind: Kind,
    name: String,
    verb: &'static str,
    attempt: String,
}

/// Whether a statement failed for want of a right, and not for what it said.
fn is_refused(answer: &Result<(), tokio_postgres::Error>) -> bool {
    let error = answer.as_ref().err().and_then(|error| error.as_db_error());
    error.is_some_and(|error| {
        *error.code() == SqlState::INSUFFICIENT_PRIVILEGE
            && error.message().starts_with("permission denied for ")
    })
}

/// A statement that does what is tried and then undoes it.
fn undone(statement: &str) -> String {
    format!("do $$ begin {statement}; raise exception 'undone'; end $$")
}

/// A statement that fails where the catalog knows no such right.
fn catalog(condition: &str, schema: &str) -> String {
    format!(
        "do $$ begin
            if not has_schema_privilege('{schema}', 'USAGE') or not {condition} then
                raise insufficient_privilege using message = 'permission denied for want of it';
            end if;
        end $$"
    )
}

/// The cells of one column.
fn of_column(schema: &str, table: &str, is_view: bool, column: &str, generated: bool) -> Vec<Cell> {
    let target = format!("{schema}.{table}");
    let cell = |verb, attempt| Cell {
        kind: Kind::Column,
        name: format!("{target}.{column}"),
        verb,
        attempt,
    };
    let asked = |verb| {
        let condition = format!("has_column_privilege('{target}', '{column}', '{verb}')");
        cell(verb, catalog(&condition, schema))
    };
    let insert =
        format!("insert into {target} ({column}) overriding system value select null where false");
    let update = format!("update {target} set {column} = default where false");
    vec![
        cell(
            "SELECT",
            format!("select {column} from {target} where false"),
        ),
        if is_view || generated {
            asked("INSERT")
        } else {
            cell("INSERT", insert)
        },
        if is_view {
            asked("UPDATE")
        } else {
            cell("UPDATE", update)
        },
        asked("REFERENCES"),
    ]
}

/// The cells of a whole table.
fn of_table(schema: &str, table: &str, is_view: bool, maintained: bool) -> Vec<Cell> {
    let target = format!("{schema}.{table}");
    let cell = |verb, attempt| Cell {
        kind: Kind::Table,
        name: target.clone(),
        verb,
        attempt,
    };
    let asked = |verb| {
        let condition = format!("has_table_privilege('{target}', '{verb}')");
        cell(verb, catalog(&condition, schema))
    };
    let mut cells = if is_view {
        vec![asked("DELETE"), asked("TRUNCATE")]
    } else {
        vec![
            cell("DELETE", format!("delete from {target} where false")),
            cell("TRUNCATE", undone(&format!("truncate {target}"))),
        ]
    };
    cells.push(asked("TRIGGER"));
    if maintained {
        cells.push(asked("MAINTAIN"));
    }
    cells
}

/// Every cell that there is in this database.
async fn cells(admin: &Client) -> Vec<Cell> {
    let version = "select current_setting('server_version_num')::integer >= 170000";
    let maintained = admin.query_one(version, &[]).await.expect("reads").get(0);
    let mut cells = Vec::new();
    let mut before = None;
    let sql = include_str!("relations.sql");
    for row in admin.query(sql, &[]).await.expect("reads") {
        let (schema, table, column): (String, String, String) =
            (row.get(0), row.get(1), row.get(3));
        let (is_view, generated) = (row.get(2), row.get(4));
        cells.extend(of_column(&schema, &table, is_view, &column, generated));
        if before != Some((schema.clone(), table.clone())) {
            cells.extend(of_table(&schema, &table, is_view, maintained));
            before = Some((schema, table));
        }
    }
    let sql = include_str!("functions.sql");
    for row in admin.query(sql, &[]).await.expect("reads") {
        let (schema, function): (String, String) = (row.get(0), row.get(1));
        cells.push(Cell {
            kind: Kind::Function,
            name: format!("{schema}.{function}"),
            verb: "EXECUTE",
            attempt: row.get(2),
        });
    }
    for schema in [
        "eventlog",
        "dlr",
        "billing",
        "orch",
        "tollbook_guard",
        "public",
    ] {
        cells.push(Cell {
            kind: Kind::Schema,
            name: schema.to_owned(),
            verb: "CREATE",
            attempt: undone(&format!("create table {schema}.mine ()")),
        });
    }
    cells
}

/// Whether `role` is to be let: by a right on the column or on its whole table, in a schema that it
/// may enter.
fn is_declared(rights: &BTreeSet<Right>, role: &str, cell: &Cell) -> bool {
    let has = |kind, name: &str, verb: &str| {
        rights.contains(&Right {
            role: role.to_owned(),
            kind,
            name: name.to_owned(),
            verb: verb.to_owned(),
        })
    };
    let schema = cell.name.split('.').next().expect("a schema");
    if cell.kind != Kind::Schema && !has(Kind::Schema, schema, "USAGE") {
        return false;
    }
    let whole = match (cell.kind, cell.name.rsplit_once('.')) {
        (Kind::Column, Some((table, _))) => has(Kind::Table, table, cell.verb),
        _ => false,
    };
    whole || has(cell.kind, &cell.name, cell.verb)
}

/// Tries every cell as `role`; answers with what is otherwise than declared.
async fn wrong(base: Base, role: &str, cells: &[Cell], rights: &BTreeSet<Right>) -> Vec<String> {
    let client = base.client(role).await;
    let mut wrong = Vec::new();
    for some in cells.chunks(PIPELINED) {
        let attempts = some.iter().map(|cell| client.batch_execute(&cell.attempt));
        for (cell, answer) in some.iter().zip(join_all(attempts).await) {
            let due = is_declared(rights, role, cell);
            if due == is_refused(&answer) {
                let Cell { verb, name, .. } = cell;
                let told = if due { "may not" } else { "may" };
                wrong.push(format!("{role} {told} {verb} {name}: {answer:?}"));
            }
        }
    }
    wrong
}

async fn holds_on(version: PgVersion) {
    let base = base_in(postgres(version).await).await;
    let admin = base.admin().await;
    let made = format!(
        "do $$ begin
            if to_regrole('{STRANGER}') is null then create role {STRANGER} login; end if;
        end $$"
    );
    admin.batch_execute(&made).await.expect("made");
    base.postgres.admit(&[STRANGER]).await.expect("admitted");
    let (rights, cells) = (declared(), cells(&admin).await);
    assert!(cells.len() > 1000, "{} cells", cells.len());
    for name in rights.iter().map(|right| &right.name) {
        let seen = cells.iter().any(|cell| cell.name == *name);
        assert!(seen, "{name} is declared and nowhere to be found");
    }
    for role in ACCOUNTS.iter().copied().chain([STRANGER]) {
        let wrong = wrong(base, role, &cells, &rights).await;
        assert!(wrong.is_empty(), "{version:?}: {}", wrong.join("\n"));
    }
}

#[test]
fn each_role_may_what_is_declared_for_it_and_not_one_thing_more() {
    run(holds_on(PgVersion::V18));
}

#[test]
fn each_role_may_what_is_declared_for_it_on_postgres_15_too() {
    if PgVersion::V15.available() {
        run(holds_on(PgVersion::V15));
    } else {
        eprintln!("skipped: apt-get install postgresql-15 lets this run");
    }
}

#[test]
fn nobody_logs_in_as_the_owner_of_the_tables() {
    run(async {
        let base = base_in(postgres(PgVersion::V18).await).await;
        let url = base.url("tollbook_owner");
        let entered = tokio_postgres::connect(&url, tokio_postgres::NoTls).await;
        assert!(entered.is_err(), "it has no login");
    });
}
