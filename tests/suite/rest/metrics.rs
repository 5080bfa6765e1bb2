//! What is counted of calls is told on the probe port, and no label holds what a caller wrote.

use hyper::Method;

use super::fixture::{MARK, desk};
use crate::fixture::{run, unique};

#[test]
fn calls_are_told_by_declared_route_and_nothing_of_theirs_is_a_label() {
    run(async {
        let desk = desk().await;
        let admin = desk.rest.as_billing_admin();
        let account = unique();
        for path in [
            format!("/v1/admin/accounts/{account}"),
            format!("/v1/{MARK}/{account}"),
        ] {
            let answer = admin.call(Method::GET, &path, None).await;
            assert_eq!(answer.expect("an answer").status, 404);
        }
        let told = desk.billing.get("/metrics").await.expect("told");
        let of_http = told.lines().filter(|line| line.contains("billing_http_"));
        let of_http: Vec<_> = of_http.collect();
        for labels in [
            r#"route="/v1/admin/accounts/{accountId}",method="GET",status_class="4xx""#,
            r#"route="none",method="GET",status_class="4xx""#,
            r#"code="not_found""#,
            r#"code="no_such_route""#,
        ] {
            assert!(of_http.iter().any(|line| line.contains(labels)), "{labels}");
        }
        let bucket = r#"billing_http_request_duration_seconds_bucket{le="0.3""#;
        assert!(of_http.iter().any(|line| line.starts_with(bucket)));
        for line in of_http {
            assert!(
                !line.contains(MARK) && !line.contains(&account.to_string()),
                "{line}"
            );
        }
    });
}
