//! What a comparison says of each way in which a statement can differ.

use serde_json::{Value, json};
use uuid::Uuid;

use super::fixture::{PATH, carriers, class, due, statement};
use crate::{
    fixture::{run, unique},
    receipts::fixture::receipt,
    rest::fixture::calm,
};

#[test]
fn each_class_of_difference_is_found_with_its_sums() {
    run(async {
        let carriers = carriers().await;
        let carrier = carriers.carrier().await;
        let sent = carriers.delivered(&carrier, 6).await;
        let id = |at: usize| sent[at].operator_message.as_str();
        let report = carriers
            .compare(
                &carrier,
                &statement(&[
                    (id(0), "DELIVRD", 2, "0.04"),
                    (id(1), "delivered", 2, ""),
                    (id(2), "EXPIRED", 2, "0.04"),
                    (id(3), "DELIVRD", 3, "0.06"),
                    (id(4), "DELIVRD", 2, "0.05"),
                    ("nobody-knows-this", "DELIVRD", 1, "0.02"),
                    (id(0), "DELIVRD", 2, "0.04"),
                ]),
            )
            .await;
        let empty = due((0, 0, ""), (0, 0, ""));
        for (name, holds) in [
            ("AGREEING", due((2, 4, "0.040000"), (2, 4, "0.080000"))),
            ("REPEATED", due((1, 2, "0.040000"), (0, 0, ""))),
            ("ONLY_THEIRS", due((1, 1, "0.020000"), (0, 0, ""))),
            ("ONLY_OURS", due((0, 0, ""), (1, 2, "0.040000"))),
            ("OTHER_STATUS", due((1, 2, "0.040000"), (1, 2, "0.040000"))),
            ("OTHER_COUNT", empty),
            (
                "OTHER_SEGMENTS",
                due((1, 3, "0.060000"), (1, 2, "0.040000")),
            ),
            ("OTHER_COST", due((1, 2, "0.050000"), (1, 2, "0.040000"))),
        ] {
            assert_eq!(class(&report, name), holds, "{name}");
        }
        let differences = report["differences"].as_array().expect("a list");
        let told: Vec<_> = differences
            .iter()
            .map(|one| (one["class"].as_str().expect("a class"), one["line"].clone()))
            .collect();
        let lines = [
            ("REPEATED", json!(8)),
            ("ONLY_THEIRS", json!(7)),
            ("ONLY_OURS", Value::Null),
            ("OTHER_STATUS", json!(4)),
            ("OTHER_SEGMENTS", json!(5)),
            ("OTHER_COST", json!(6)),
        ];
        assert_eq!(told, lines);
        assert_eq!(differences[2]["messageId"], json!(sent[5].id));
        assert_eq!(differences[2]["operatorMessageId"], json!(id(5)));
        carriers.cleared().await;
        calm(&carriers.billing);
    });
}

#[test]
fn the_parts_of_a_message_add_up_to_it() {
    run(async {
        let carriers = carriers().await;
        let carrier = carriers.carrier().await;
        let sent = carriers.delivered(&carrier, 1).await;
        let part = format!("part-{}", unique().simple());
        let second = receipt(&sent[0]).of_part(&part).hinting(sent[0].id);
        // A part's receipt comes in the connector's form, which alone has a hint.
        let second = second.without("stat").without("errorCode");
        let second = second.with("status", json!("DELIVERED"));
        carriers.desk.receives(&second).await;
        let report = carriers
            .compare(
                &carrier,
                &statement(&[
                    (&sent[0].operator_message, "DELIVRD", 1, "0.02"),
                    (&part, "DELIVRD", 1, "0.02"),
                ]),
            )
            .await;
        let agreeing = due((1, 2, "0.040000"), (1, 2, "0.040000"));
        assert_eq!(class(&report, "AGREEING"), agreeing, "{report}");
    });
}

#[test]
fn totals_of_days_are_compared_by_status() {
    run(async {
        let carriers = carriers().await;
        let carrier = carriers.carrier().await;
        carriers.delivered(&carrier, 3).await;
        let sql = "select to_char(min(rated_at) at time zone 'UTC', 'YYYY-MM-DD'),
            to_char(max(rated_at) at time zone 'UTC', 'YYYY-MM-DD')
            from billing.billing_events where operator_id = $1";
        let row = carriers.database.query_one(sql, &[&carrier.operator]).await;
        let row = row.expect("reads");
        let (day, last): (String, String) = (row.get(0), row.get(1));
        if day != last {
            return; // Midnight passed between the three.
        }
        let file = |delivered: &str| {
            format!(
                "date;status;messages;segments;cost\n{day};DELIVRD;{delivered}\n{day};EXPIRED;1;1;0.02\n"
            )
        };
        for (line, name, theirs) in [
            ("3;6;0.12", "AGREEING", (3, 6, "0.120000")),
            ("4;6;0.12", "OTHER_COUNT", (4, 6, "0.120000")),
            ("3;7;0.12", "OTHER_SEGMENTS", (3, 7, "0.120000")),
            ("3;6;0.13", "OTHER_COST", (3, 6, "0.130000")),
        ] {
            let report = carriers.compare(&carrier, &file(line)).await;
            assert_eq!(report["content"], "DAYS");
            assert_eq!(
                class(&report, name),
                due(theirs, (3, 6, "0.120000")),
                "{line}"
            );
            let unknown = due((1, 1, "0.020000"), (0, 0, ""));
            assert_eq!(class(&report, "ONLY_THEIRS"), unknown);
        }
        let report = carriers
            .compare(&carrier, "date,status,messages,segments\n")
            .await;
        assert_eq!(
            class(&report, "ONLY_OURS"),
            due((0, 0, ""), (3, 6, "0.120000"))
        );
    });
}

#[test]
fn a_cost_that_we_do_not_know_is_another_cost() {
    run(async {
        let carriers = carriers().await;
        let carrier = carriers.without_cost().await;
        let sent = carriers.delivered(&carrier, 1).await;
        let line = [(sent[0].operator_message.as_str(), "DELIVRD", 2, "0.04")];
        let report = carriers.compare(&carrier, &statement(&line)).await;
        let other = due((1, 2, "0.040000"), (1, 2, ""));
        assert_eq!(class(&report, "OTHER_COST"), other);
    });
}

#[test]
fn the_same_statement_again_is_answered_as_the_first_time_and_another_is_refused() {
    run(async {
        let carriers = carriers().await;
        let carrier = carriers.carrier().await;
        let file = statement(&[("only-theirs", "DELIVRD", 1, "0.02")]);
        let id = unique();
        let first = carriers.bring(&carrier, id, file.as_bytes()).await;
        assert_eq!(first.status, 201, "{}", first.text);
        // What was recorded since does not change what was found.
        carriers.delivered(&carrier, 1).await;
        let again = carriers.bring(&carrier, id, file.as_bytes()).await;
        assert_eq!((again.status, &again.body), (200, &first.body));
        let other = carriers
            .bring(&carrier, id, b"operatorMessageId,status,segments\n")
            .await;
        assert_eq!((other.status, other.code()), (409, Some("id_reused")));
        let stranger = carriers.carrier().await;
        let other = carriers.bring(&stranger, id, file.as_bytes()).await;
        assert_eq!((other.status, other.code()), (409, Some("id_reused")));
        carriers.cleared().await;
    });
}

#[test]
fn of_two_who_bring_one_statement_at_once_both_are_told_the_same() {
    run(async {
        let carriers = carriers().await;
        let carrier = carriers.carrier().await;
        let sent = carriers.delivered(&carrier, 2).await;
        let file = statement(&[(sent[0].operator_message.as_str(), "DELIVRD", 2, "0.04")]);
        let id = unique();
        let bring = || carriers.bring(&carrier, id, file.as_bytes());
        let (one, other) = tokio::join!(bring(), bring());
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!((statuses, &one.body), ([200, 201], &other.body));
        let sql = "select count(*) from eventlog.event
            where category = 'statement' and stream_id = $1";
        let row = carriers
            .database
            .query_one(sql, &[&id])
            .await
            .expect("reads");
        assert_eq!(row.get::<_, i64>(0), 1);
        carriers.cleared().await;
    });
}

#[test]
fn statements_are_listed_and_their_differences_paged() {
    run(async {
        let carriers = carriers().await;
        let carrier = carriers.carrier().await;
        let ids: Vec<String> = (0..130)
            .map(|number| format!("theirs-{number:03}"))
            .collect();
        let lines: Vec<_> = ids
            .iter()
            .map(|id| (id.as_str(), "DELIVRD", 1, "0.02"))
            .collect();
        let report = carriers.compare(&carrier, &statement(&lines)).await;
        let all = due((130, 130, "2.600000"), (0, 0, ""));
        assert_eq!(class(&report, "ONLY_THEIRS"), all, "the sums are of all");
        let caller = carriers.rest.as_billing_admin();
        let get = async |path: String| {
            let answer = caller.get(&path).await.expect("an answer");
            answer.made().expect("found")
        };
        let id = report["statementId"].as_str().expect("an id");
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = get(format!("{PATH}/{id}?limit=40{cursor}")).await;
            let rows = page["differences"].as_array().expect("a page");
            found.extend(rows.iter().map(|row| row["line"].as_u64().expect("a line")));
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(
            found,
            (2..102).collect::<Vec<u64>>(),
            "the first hundred by line"
        );
        let list = get(format!("{PATH}?operatorId={}", carrier.operator)).await;
        let rows = list["data"].as_array().expect("a list");
        assert_eq!((rows.len(), rows[0]["statementId"].as_str()), (1, Some(id)));
        let nothing = caller.get(&format!("{PATH}/{}", Uuid::from_u128(5))).await;
        assert_eq!(nothing.expect("an answer").status, 404);
    });
}
