//! What is left of an erased tenant.

use std::collections::{BTreeMap, BTreeSet};

use schema::Timestamp;
use tests::world::PLATFORM;
use uuid::Uuid;

use super::fixture::{REASON, Stage, Tenant, stage, told_of};
use crate::{
    adjustments::fixture::{ADJUSTMENTS, credit, proposed},
    fixture::{dense, eventually, run},
    receipts::fixture::Sms,
};

/// Everything that can be shown of a tenant.
async fn lives(stage: &Stage, tenant: Tenant) {
    stage.agree(tenant).await;
    stage.settled(tenant).await;
    // One whose charge is held, and one of which something intermediate is heard.
    let held = Sms {
        segments: 11,
        ..tenant.sms()
    };
    stage.desk.enqueue(&held).await;
    stage.desk.receives(&told_of(&held)).await;
    let open = tenant.sms();
    stage.desk.enqueue(&open).await;
    stage.desk.receives(&told_of(&open).says("ACCEPTD")).await;
    adjusted(stage, tenant).await;
    looked_at(stage, tenant).await;
}

/// An adjustment of the account is proposed, for a reason that names somebody.
async fn adjusted(stage: &Stage, tenant: Tenant) {
    let mut body = credit(tenant.0.account);
    body["reason"] = REASON.into();
    proposed(&stage.rest, &body).await;
}

/// Every row that shows of such a tenant, once all of them are there.
async fn all_of(stage: &Stage, tenant: Uuid, account: Uuid) -> Vec<String> {
    eventually("everything is shown", async || {
        let shown = stage.shown_of(tenant, account).await;
        (shown.len() == 12).then_some(shown)
    })
    .await
}

/// Somebody of the platform looks at the tenant's usage, which is recorded.
async fn looked_at(stage: &Stage, tenant: Tenant) {
    let path = format!(
        "/v1/billing/usage?from=2026-03-01&to=2026-03-02&accountId={}",
        tenant.0.account
    );
    let answer = stage.rest.as_platform_admin().get(&path).await;
    assert_eq!(answer.expect("an answer").status, 200);
}

/// What finance is told is left of each tenant's charges, whenever they were made.
async fn margins(stage: &Stage) -> BTreeMap<String, String> {
    let micros = eventstore::clock::now().micros();
    let day = |offset: i64| {
        let at = Timestamp::from_micros(micros + offset * 24 * 3_600 * 1_000_000);
        at.expect("a time").to_string()[..10].to_owned()
    };
    let days = format!("from={}&to={}", day(-390), day(1));
    let path = format!("/v1/admin/margins?groupBy=tenant&{days}&limit=50");
    let finance = stage.rest.as_role("platform.finance", PLATFORM, None);
    let page = finance.get(&path).await.expect("an answer").made();
    let page = page.expect("a page");
    let rows = page["data"].as_array().expect("a list").iter();
    let word = |row: &serde_json::Value, name: &str| row[name].as_str().expect("a word").to_owned();
    rows.map(|row| (word(row, "group"), word(row, "margin")))
        .collect()
}

#[test]
fn nothing_names_an_erased_tenant_or_opens_its_data_and_nobody_else_notices() {
    run(async {
        let stage = stage().await;
        let (erased, stays) = (Tenant::new(), Tenant::new());
        for tenant in [erased, stays] {
            lives(&stage, tenant).await;
        }
        let pseudonym = stage.pseudonym(erased).await.expect("known");
        let (account, other) = (erased.0.account.0, stays.0.account.0);
        let before = all_of(&stage, erased.id(), account).await;
        let theirs = all_of(&stage, stays.id(), other).await;
        let head = stage.desk.head().await;
        let log = stage.log_through(head).await;
        let found = stage
            .verify(erased)
            .await
            .expect_err("it is not erased")
            .to_string();
        for named in [
            "eventlog.tenant.tenant_id",
            "dlr.delivery_receipts.tenant_id",
        ] {
            assert!(found.contains(named), "{found}");
        }

        stage.erase(erased).await;

        let said = stage.verify(erased).await.expect("it is erased");
        assert!(
            !said.contains("FOUND") && !said.contains(&erased.id().to_string()),
            "{said}"
        );
        assert_eq!(
            stage.shown_of(erased.id(), account).await,
            Vec::<String>::new()
        );
        let renamed = stage.shown_of(pseudonym, account).await;
        let (id, name) = (erased.id().to_string(), pseudonym.to_string());
        let expected: Vec<_> = before.iter().map(|row| row.replace(&id, &name)).collect();
        let [renamed, expected] = [renamed, expected].map(BTreeSet::from_iter);
        assert_eq!(renamed, expected, "the same rows, but for the name");
        assert_eq!(stage.log_through(head).await, log, "the log is as it was");
        assert_eq!(stage.shown_of(stays.id(), other).await, theirs);
        assert_eq!(
            dense(stage.database()).await,
            head + 2,
            "asked for, and done"
        );
        assert_eq!(
            stage.run_job().await.expect("runs"),
            "nobody is to be erased\n"
        );
        // The name on the account's invoices was sealed.
        stage.forgotten().await;
        let account = format!("/v1/admin/accounts/{account}");
        let shown = stage.rest.as_billing_admin().get(&account).await;
        let shown = shown.expect("an answer").text;
        assert!(shown.contains(&pseudonym.to_string()), "{shown}");
        assert!(!shown.contains("Quillon"), "{shown}");
        let list = format!("{ADJUSTMENTS}?tenantId={pseudonym}");
        let shown = stage.rest.as_billing_admin().get(&list).await;
        let shown = shown.expect("an answer").made().expect("a page");
        let adjustment = &shown["data"][0];
        assert_eq!(adjustment["amount"], "-12.500000");
        assert_eq!(adjustment["reason"], serde_json::Value::Null);
        for service in [&stage.desk.service, &stage.billing] {
            assert!(!service.log().contains(REASON));
        }
    });
}

#[test]
fn what_is_left_of_an_erased_tenants_charges_is_told_under_its_pseudonym() {
    run(async {
        let stage = stage().await;
        let (erased, stays) = (Tenant::new(), Tenant::new());
        for tenant in [erased, stays] {
            stage.agree(tenant).await;
            stage.settled(tenant).await;
        }
        let pseudonym = stage.pseudonym(erased).await.expect("known");
        let mut left = eventually("both are added up", async || {
            let left = margins(&stage).await;
            (left.len() == 2).then_some(left)
        })
        .await;
        stage.erase(erased).await;
        let of_erased = left.remove(&erased.id().to_string()).expect("a margin");
        left.insert(pseudonym.to_string(), of_erased);
        assert_eq!(margins(&stage).await, left);
    });
}

#[test]
fn an_orphan_of_an_erased_tenant_is_readable_until_the_key_of_its_day_is_destroyed() {
    run(async {
        let stage = stage().await;
        let tenant = Tenant::new();
        let sms = tenant.sms();
        let place = stage.desk.send(&told_of(&sms)).await;
        stage.desk.done(place).await;
        assert_eq!(stage.desk.orphans(&sms).await.len(), 1, "it came too early");
        stage.desk.enqueue(&sms).await;
        eventually("the orphan found its message", async || {
            let orphans = stage.desk.orphans(&sms).await;
            orphans.iter().all(|(_, resolved)| *resolved).then_some(())
        })
        .await;
        stage.erase(tenant).await;
        let found = stage
            .verify(tenant)
            .await
            .expect_err("its day's key is there")
            .to_string();
        assert!(found.contains("tollbook keys expire"), "{found}");
        let sql = "delete from eventlog.data_key where day is not null";
        let gone = stage.database().execute(sql, &[]).await.expect("destroyed");
        assert_eq!(gone, 1);
        stage.verify(tenant).await.expect("now it is erased");
    });
}

#[test]
fn whoever_was_never_erased_is_not_proven_to_be() {
    run(async {
        let stage = stage().await;
        let nobody = Tenant::new();
        let found = stage.verify(nobody).await.expect_err("nobody").to_string();
        assert!(found.contains("was ever erased here"), "{found}");
        // Neither is one whom only a file names.
        stage.erase(nobody).await;
        stage.verify(nobody).await.expect("erased");
        let stray = stage.desk.world.path("stray.log");
        std::fs::write(
            &stray,
            format!("x\n{{\"t\":\"{}\"}}\n", nobody.id().simple()),
        )
        .expect("written");
        let variables = stage
            .desk
            .world
            .variables("dlr-processor", "tollbook_admin");
        let words = [
            "erasure".to_owned(),
            "verify".to_owned(),
            format!("--tenant-id={}", nobody.id()),
            format!("--log-file={}", stray.display()),
        ];
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let found = stage.desk.world.command(&words, &variables).await;
        let found = found.expect_err("the file names it").to_string();
        assert!(found.contains("FOUND 1 lines of"), "{found}");
    });
}
