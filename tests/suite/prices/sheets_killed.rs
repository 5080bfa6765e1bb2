//! A node that is killed while it applies a sheet: all of the sheet is in the log, or nothing.

use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tests::{
    drive,
    traffic::Expected,
    world::{Rest, WorldOptions},
};
use tokio::time::sleep;

use crate::{
    fixture::{PATIENCE, eventually, place, run, unique},
    rest::fixture::{Desk, problem},
};

const SEED: u64 = 11_006;
/// Lines of each sheet.
const LINES: i64 = 2_000;
const KILLS: usize = 12;

/// A sheet of new prices.
fn sheet() -> String {
    let columns = "accountTier,operatorId,currency,pricingModel,unitPrice,effectiveFrom";
    let line = |_| format!("GROWTH,{},EUR,PER_SEGMENT,0.05,2026-01-01\n", unique());
    let lines: String = (0..LINES).map(line).collect();
    format!("{columns}\n{lines}")
}

async fn put(rest: &Rest, id: &str, sheet: &str) -> Option<u16> {
    let path = format!("/v1/admin/price-sheets/{id}");
    let body = Some(("text/csv", Bytes::from(sheet.to_owned())));
    let answer = rest.as_billing_admin().send(Method::PUT, &path, body).await;
    answer.ok().map(|answer| answer.status)
}

/// How many prices were opened, and how many sheets applied.
async fn recorded(desk: &Desk) -> (i64, i64) {
    let sql = include_str!("sheets_killed/recorded.sql");
    let row = desk.database.query_one(sql, &[]).await.expect("reads");
    (row.get(0), row.get(1))
}

#[test]
fn a_sheet_is_in_the_log_as_a_whole_or_not_at_all_whenever_its_node_is_killed() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let desk = Desk::of(place.world).await;
        let mut chance = ChaCha8Rng::seed_from_u64(SEED);
        let (mut applied, mut cut_short) = (0, 0);
        for number in 0..KILLS {
            let (node, rest) = desk.node(&[]).await;
            let (id, sheet) = (format!("killed-{number}"), sheet());
            let kill = async {
                sleep(Duration::from_millis(chance.random_range(5..400))).await;
                node.kill().await.expect("killed");
            };
            let (answer, ()) = tokio::join!(put(&rest, &id, &sheet), kill);
            let (opened, sheets) = recorded(&desk).await;
            assert_eq!(opened, sheets * LINES, "a part of a sheet is there");
            assert!(answer.is_none_or(|status| status == 200), "{answer:?}");
            cut_short += usize::from(answer.is_none());
            // Whoever heard nothing asks again, somewhere else.
            eventually("it is applied", async || {
                (put(&desk.rest, &id, &sheet).await == Some(200)).then_some(())
            })
            .await;
            applied += 1;
            assert_eq!(recorded(&desk).await, (applied * LINES, applied));
        }
        assert!(cut_short > 0, "no kill came in time");
        let path = "/v1/admin/price-sheets/killed-0";
        let body = Some(("text/csv", Bytes::from(sheet())));
        let other = desk
            .rest
            .as_billing_admin()
            .send(Method::PUT, path, body)
            .await;
        assert_eq!(problem(&other.expect("an answer")).1, "sheet_id_reused");
        drive::rest_of_billing(&desk.world, PATIENCE)
            .await
            .expect("comes to rest");
        let report = desk.world.audit_billing(&Expected::default()).await;
        let report = report.expect("audited");
        assert!(report.balanced(), "{:#?}", report.findings);
        eprintln!("{cut_short} of {KILLS} were cut short");
    });
}
