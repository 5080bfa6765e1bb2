//! What still comes for an erased tenant, and who comes back.

use schema::AccountId;
use serde_json::json;

use super::fixture::{Tenant, stage, told_of};
use crate::{
    charges::fixture::Customer,
    fixture::{run, unique},
};

#[test]
fn what_still_comes_for_an_erased_tenant_is_settled_and_charged_under_its_pseudonym() {
    run(async {
        let stage = stage().await;
        let tenant = Tenant::new();
        stage.agree(tenant).await;
        let known = stage.settled(tenant).await;
        let under_way = tenant.sms();
        stage.desk.enqueue(&under_way).await;
        let pseudonym = stage.pseudonym(tenant).await.expect("known");
        stage.erase(tenant).await;
        stage.forgotten().await;

        let head = stage.desk.head().await;
        stage.desk.receives(&told_of(&known).again()).await;
        assert_eq!(stage.desk.head().await, head, "a duplicate adds nothing");
        stage.desk.receives(&told_of(&under_way)).await;
        assert_eq!(
            stage.charged(&under_way).await,
            pseudonym,
            "what was sent is paid for"
        );
        let sql = "select count(*) from eventlog.event
            where stream_id = $1 and sealed is not null";
        let row = stage.database().query_one(sql, &[&under_way.id]).await;
        assert_eq!(
            row.expect("reads").get::<_, i64>(0),
            0,
            "nothing personal is kept"
        );
        let billed = stage.told("BILLING_EVENTS", &under_way).await;
        assert_eq!(billed.len(), 1);
        assert_eq!(billed[0]["tenantId"], json!(pseudonym));
        let webhooks = stage.told("WEBHOOK_DISPATCH", &under_way).await;
        assert!(webhooks.is_empty(), "there is nobody to tell: {webhooks:?}");
        assert_eq!(stage.pseudonym(tenant).await, None);
        // A call of one of the tenant's people does not make it known either.
        let people = stage.rest.as_customer(tenant.0.tenant, tenant.0.account);
        let path = "/v1/billing/usage?from=2026-03-01&to=2026-03-02";
        assert_eq!(people.get(path).await.expect("an answer").status, 200);
        stage.verify(tenant).await.expect("it stays erased");
    });
}

#[test]
fn whoever_registers_again_is_somebody_new_and_an_old_announcement_is_not_about_them() {
    run(async {
        let stage = stage().await;
        let tenant = Tenant::new();
        stage.agree(tenant).await;
        stage.settled(tenant).await;
        let first = stage.pseudonym(tenant).await.expect("known");
        let announcement = unique();
        stage.announce(tenant, announcement).await;
        stage.pending(1).await;
        stage.run_job().await.expect("erased");
        stage.forgotten().await;

        // The account is part of the history of whoever had it.
        let admin = stage.rest.as_billing_admin();
        let again = tenant.0.registration();
        let refused = admin.register(tenant.0.account, &again).await;
        let refused = refused.expect("an answer");
        assert_eq!(
            refused.body["code"], "account_of_another_tenant",
            "{}",
            refused.text
        );
        assert_eq!(
            stage.pseudonym(tenant).await,
            None,
            "to be refused makes nobody known"
        );

        let back = Tenant(Customer {
            account: AccountId(unique()),
            ..tenant.0
        });
        stage.register(back).await;
        let second = stage.pseudonym(back).await.expect("known again");
        assert_ne!(second, first);
        let sms = stage.settled(back).await;
        assert_eq!(stage.charged(&sms).await, tenant.id());
        assert_eq!(stage.told("WEBHOOK_DISPATCH", &sms).await.len(), 1);

        stage.announce(back, announcement).await;
        stage.pending(0).await;
        assert_eq!(
            stage.run_job().await.expect("runs"),
            "nobody is to be erased\n"
        );
        assert_eq!(stage.pseudonym(back).await, Some(second));
        // A new one is.
        stage.erase(back).await;
        stage.verify(back).await.expect("both are forgotten");
    });
}
