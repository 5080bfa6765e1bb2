//! Files that carriers should not send, and what billing must not see of receipts.

use tokio_postgres::error::SqlState;

use super::fixture::{Carrier, PATH, carriers, class, due, statement};
use crate::{
    fixture::{base, run, unique},
    rest::fixture::{calm, problem},
};

#[test]
fn a_file_that_cannot_be_used_is_refused_by_line_and_column_and_leaves_nothing_behind() {
    run(async {
        let carriers = carriers().await;
        let carrier = carriers.carrier().await;
        let good = "operatorMessageId,status,segments,cost\nok,DELIVRD,1,0.02\n";
        let million: String = (0..=1_000_000).map(|_| "x,DELIVRD,1\n").collect();
        let after = |line: &str| [good.as_bytes(), line.as_bytes(), b"\n"].concat();
        let cases: [(Vec<u8>, &str); 18] = [
            (
                after(&format!("{},DELIVRD,1,0", "x".repeat(1_000_000))),
                "line 3",
            ),
            (
                after(&format!("{},DELIVRD,1,0", "x".repeat(65))),
                "line 3, column 1",
            ),
            (after(",DELIVRD,1,0"), "line 3, column 1"),
            (after("a\0b,DELIVRD,1,0"), "line 3, column 1"),
            (
                [good.as_bytes(), b"a,DELIVRD\xff,1,0\n"].concat(),
                "line 3, column 2",
            ),
            (after("=cmd(),DELIVRD,1,0"), "line 3, column 1"),
            (after("@SUM(xxx),DELIVRD,1,0"), "line 3, column 1"),
            (after("a,=cmd(),1,0"), "line 3, column 2"),
            (after("a,DELIVRD,-1,0"), "line 3, column 3"),
            (after("a,DELIVRD,=cmd(),0"), "line 3, column 3"),
            (after("a,DELIVRD,256,0"), "line 3, column 3"),
            (
                after(&format!("a,DELIVRD,{},0", "9".repeat(40))),
                "line 3, column 3",
            ),
            (after("a,DELIVRD,1,0.0000001"), "line 3, column 4"),
            (after("a,DELIVRD,1,-0.02"), "line 3, column 4"),
            (
                format!("operatorMessageId,status,segments\n{million}").into(),
                "line 1000002",
            ),
            (
                b"operatorMessageId,status,Segments,segments\n".to_vec(),
                "line 1, column 4",
            ),
            (b"operatorMessageId,status\nid,DELIVRD\n".to_vec(), "line 1"),
            (b"something else".to_vec(), "line 1"),
        ];
        for (file, place) in cases {
            let answer = carriers.bring(&carrier, unique(), &file).await;
            assert_eq!(problem(&answer), (400, "malformed_csv", ""));
            let detail = answer.body["detail"].as_str().expect("a detail");
            assert!(detail.starts_with(place), "{detail}");
            assert!(
                !detail.contains("cmd") && !detail.contains("xxx"),
                "{detail}"
            );
        }
        carriers.cleared().await;
        let sql = "select count(*) from billing.operator_statements where operator_id = $1";
        let row = carriers.database.query_one(sql, &[&carrier.operator]).await;
        assert_eq!(row.expect("reads").get::<_, i64>(0), 0);
        calm(&carriers.billing);
    });
}

#[test]
fn a_byte_order_mark_semicolons_and_columns_that_nobody_asked_for_are_taken() {
    run(async {
        let carriers = carriers().await;
        let carrier = carriers.carrier().await;
        let sent = carriers.delivered(&carrier, 1).await;
        let id = &sent[0].operator_message;
        let file = format!(
            "\u{feff}Cost;to;SEGMENTS;Status;operatorMessageId\r\n0.04;=cmd();2;delivrd;{id}\r\n"
        );
        let report = carriers.compare(&carrier, &file).await;
        let agreeing = due((1, 2, "0.040000"), (1, 2, "0.040000"));
        assert_eq!(class(&report, "AGREEING"), agreeing, "{report}");
        assert!(!report.to_string().contains("cmd"), "{report}");
        carriers.cleared().await;
    });
}

#[test]
fn of_a_carrier_that_nobody_knows_everything_is_only_theirs() {
    run(async {
        let carriers = carriers().await;
        // Another carrier has a message of the same id.
        let known = carriers.carrier().await;
        let sent = carriers.delivered(&known, 1).await;
        let stranger = Carrier::nobody();
        let file = statement(&[(&sent[0].operator_message, "DELIVRD", 2, "0.04")]);
        let report = carriers.compare(&stranger, &file).await;
        let theirs = due((1, 2, "0.040000"), (0, 0, ""));
        assert_eq!(class(&report, "ONLY_THEIRS"), theirs, "{report}");
        let sums = report["sums"].as_array().expect("sums");
        let ours: i64 = sums
            .iter()
            .filter_map(|sums| sums["ours"]["messages"].as_i64())
            .sum();
        assert_eq!(ours, 0, "{report}");
    });
}

#[test]
fn what_a_statement_is_said_to_be_about_is_checked() {
    run(async {
        let carriers = carriers().await;
        let caller = carriers.rest.as_billing_admin();
        let operator = unique();
        let file = statement(&[("nobody-knows-this", "DELIVRD", 1, "0.02")]);
        let bring = async |query: &str| {
            let path = format!("{PATH}/{}?{query}", unique());
            let file = ("text/csv", file.clone().into());
            let answer = caller.send(hyper::Method::PUT, &path, Some(file)).await;
            answer.expect("an answer")
        };
        let days = "from=2026-01-01&to=2026-01-31";
        for (query, code) in [
            (
                format!("operatorId=someone&{days}&currency=EUR"),
                "invalid_parameter",
            ),
            (format!("{days}&currency=EUR"), "missing_parameter"),
            (
                format!("operatorId={operator}&{days}&currency=XXX"),
                "invalid_parameter",
            ),
            (
                format!("operatorId={operator}&from=2026-02-30&to=2026-03-01&currency=EUR"),
                "invalid_parameter",
            ),
            (
                format!("operatorId={operator}&from=2026-01-02&to=2026-01-01&currency=EUR"),
                "period_reversed",
            ),
            (
                format!("operatorId={operator}&from=2026-01-01&to=2026-04-11&currency=EUR"),
                "span_too_long",
            ),
        ] {
            let answer = bring(&query).await;
            assert_eq!((answer.status, answer.code()), (400, Some(code)), "{query}");
        }
        // The first and the last day there are.
        for day in ["0000-01-01", "9999-12-31"] {
            let query = format!("operatorId={operator}&from={day}&to={day}&currency=EUR");
            let answer = bring(&query).await;
            assert_eq!(answer.status, 201, "{query}: {}", answer.text);
        }
        calm(&carriers.billing);
    });
}

#[test]
fn another_media_type_is_refused_before_anything_is_read() {
    run(async {
        let carriers = carriers().await;
        let id = unique();
        let path = format!(
            "{}/{id}?operatorId={id}&from=2026-01-01&to=2026-01-01&currency=EUR",
            super::fixture::PATH
        );
        let caller = carriers.rest.as_billing_admin();
        for kind in ["application/json", "text/plain", "text/csv; charset=utf-16"] {
            let file = (kind, statement(&[]).into());
            let answer = caller.send(hyper::Method::PUT, &path, Some(file)).await;
            let answer = answer.expect("an answer");
            let (status, code, _) = problem(&answer);
            assert_eq!((status, code), (415, "unsupported_media_type"), "{kind}");
        }
    });
}

#[test]
fn billing_sees_which_ids_a_carrier_gave_only_of_the_one_it_names_and_nothing_else_of_receipts() {
    run(async {
        let base = base().await;
        let (admin, mut database) = (base.admin().await, base.client("billing_svc").await);
        let (one, other) = (unique().to_string(), unique().to_string());
        let row = include_str!("../isolation/receipt_row.sql");
        for (position, operator) in [(1_i64, &one), (2, &one), (3, &other)] {
            let added = admin.execute(row, &[&position, &unique(), &unique()]).await;
            assert_eq!(added.expect("a superuser may"), 1);
            let sql = "update dlr.delivery_receipts set operator_id = $1 where position = $2";
            let named = admin.execute(sql, &[operator, &position]).await;
            assert_eq!(named.expect("a superuser may"), 1);
        }
        let count = "select count(*) from (select log_id, message_id, tenant_id, operator_id,
            operator_message_id from dlr.delivery_receipts) as ids";
        let nothing = database.query_one(count, &[]).await.expect("granted");
        assert_eq!(
            nothing.get::<_, i64>(0),
            0,
            "without saying for which carrier"
        );
        for (operator, due) in [(&one, 2), (&other, 1)] {
            let transaction = database.transaction().await.expect("begins");
            let enter = "select set_config('app.operator_id', $1, true)";
            transaction.query(enter, &[operator]).await.expect("set");
            let seen = transaction.query_one(count, &[]).await.expect("granted");
            assert_eq!(seen.get::<_, i64>(0), due);
        }
        let others = [
            "position",
            "receipt_id",
            "account_id",
            "raw_stat",
            "dlr_status",
            "error_code",
            "delivered_at",
            "source_addr",
            "dest_addr",
            "correlated_at",
            "created_at",
        ];
        for forbidden in others {
            let peek = format!("select {forbidden} from dlr.delivery_receipts");
            let refused = database.query(&peek, &[]).await.expect_err("not granted");
            assert_eq!(
                refused.code(),
                Some(&SqlState::INSUFFICIENT_PRIVILEGE),
                "{forbidden}"
            );
        }
    });
}
