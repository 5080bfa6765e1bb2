//! `tollbook statement diff`: the same for people in a terminal.

use std::collections::BTreeMap;

use tests::{demo::statement::plant, world::PLATFORM};

use super::fixture::{Carrier, Carriers, carriers, three_days};
use crate::fixture::{run, unique};

/// Runs the command over a file of this name; says what it printed.
async fn diff(
    carriers: &Carriers,
    carrier: &Carrier,
    file: &std::path::Path,
    role: &str,
) -> Result<String, String> {
    let world = &carriers.desk.world;
    let token = carriers.rest.as_role(role, PLATFORM, None).token().await;
    let token = token.expect("made").expect("a token");
    let token_file = world.path(&format!("{}.token", unique().simple()));
    std::fs::write(&token_file, token).expect("written");
    let variables = BTreeMap::from([
        ("TOLLBOOK_URL", carriers.rest.base().to_owned()),
        ("TOLLBOOK_TOKEN_FILE", token_file.display().to_string()),
    ]);
    let (operator, file) = (carrier.operator.to_string(), file.display().to_string());
    let days = three_days().replace('&', "=");
    let days: Vec<_> = days.split('=').collect();
    let words = [
        "statement",
        "diff",
        &file,
        "--operator-id",
        &operator,
        "--currency",
        "EUR",
        "--from",
        days[1],
        "--to",
        days[3],
    ];
    let said = world.command(&words, &variables).await;
    said.map_err(|error| error.to_string())
}

#[test]
fn planted_differences_are_found_and_shown_and_asking_again_compares_nothing_again() {
    run(async {
        let carriers = carriers().await;
        let carrier = carriers.carrier().await;
        carriers.delivered(&carrier, 4).await;
        let file = carriers.desk.world.path("planted.csv");
        let planted = plant(&carriers.database, carrier.operator, &file).await;
        let planted = planted.expect("planted");
        let said = diff(carriers, &carrier, &file, "platform.finance").await;
        let said = said.expect("compared");
        let line = |word: &str, what: &str| {
            let found = said
                .lines()
                .any(|line| line.starts_with(word) && line.contains(what));
            assert!(found, "no {word} {what} in {said}");
        };
        line("AGREEING", "theirs 2 messages, 4 segments, 0.080000 EUR");
        line("OTHER_SEGMENTS line 2", &planted.inflated);
        line("ONLY_OURS line -", &planted.left_out.to_string());
        line("ONLY_THEIRS line 5", &planted.invented);
        let again = diff(carriers, &carrier, &file, "platform.billing_admin").await;
        assert_eq!(again.expect("known"), said);
        let sql = "select count(*) from billing.operator_statements where operator_id = $1";
        let row = carriers.database.query_one(sql, &[&carrier.operator]).await;
        assert_eq!(row.expect("reads").get::<_, i64>(0), 1);
    });
}

#[test]
fn a_file_or_a_caller_that_is_refused_is_told_so() {
    run(async {
        let carriers = carriers().await;
        let carrier = carriers.carrier().await;
        let file = carriers.desk.world.path("wrong.csv");
        let text = "operatorMessageId,status,segments\nid,DELIVRD,-1\n";
        std::fs::write(&file, text).expect("written");
        let told = diff(carriers, &carrier, &file, "platform.finance").await;
        let told = told.expect_err("refused");
        assert!(
            told.contains("400 malformed_csv: line 2, column 3"),
            "{told}"
        );
        let told = diff(carriers, &carrier, &file, "platform.admin").await;
        let told = told.expect_err("refused");
        assert!(told.contains("403 right_missing"), "{told}");
        let missing = carriers.desk.world.path("nowhere.csv");
        let told = diff(carriers, &carrier, &missing, "platform.finance").await;
        assert!(told.expect_err("no file").contains("nowhere.csv"));
    });
}
