//! The API as its own document describes it, driven by schemathesis: no answer is a mistake of
//! ours, none is undocumented, and none is of another form than the document says.
//!
//! Bounded and deterministic: the same calls in each run, which take some twenty seconds.

use std::{path::PathBuf, process::Stdio};

use hyper::Method;
use tests::world::{WorldOptions, rest::RestClient};
use tokio::{process::Command, time::timeout};

use super::fixture::{Customer, Desk, account_body, calm, cost_body, done, opened, price_body};
use crate::fixture::{PATIENCE, place, run};

/// How many calls of each endpoint are drawn, beside those that the document's limits give.
const EXAMPLES: &str = "40";

/// What is checked, with the token in place of `{token}`. All checks there are, but two. A text that
/// is too long may make a body too long (413).
///
/// - `use_after_free` wants 404 for what was deleted. Closing a price ends it and keeps it: what
///   was charged by it must stay explicable.
/// - `positive_data_acceptance` wants success wherever a call fits the document. Not everything
///   that makes a call wrong can be said there: whether a period is reversed or taken, a cursor
///   ours, a price there, a version unchanged, an account another tenant's, a caller entitled. So
///   these refusals count as accepted; whether they are documented is checked all the same.
const CONFIG: &str = r#"
[auth.openapi.token]
bearer = "{token}"
[checks]
negative_data_rejection.expected-statuses = [
    "400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx",
]
positive_data_acceptance.expected-statuses = [
    "2xx", "400", "401", "403", "404", "409", "412", "422",
]
"#;

/// The folder with the Python packages, and the Python to run them with.
fn fuzzer() -> (PathBuf, String) {
    let python = std::env::var("TOLLBOOK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if let Some(folder) = std::env::var_os("TOLLBOOK_FUZZER") {
        return (folder.into(), python);
    }
    let fetched = concat!(env!("CARGO_MANIFEST_DIR"), "/../.dev/fuzzer");
    let found = std::fs::read_dir(fetched).into_iter().flatten().flatten();
    let found = found.map(|entry| entry.path()).max();
    (
        found.expect("schemathesis is not here; ./dev test fetches it"),
        python,
    )
}

/// Lets schemathesis call the API as `caller`; panics with its report if it complains.
async fn fuzzed(desk: &Desk, caller: &RestClient, name: &str, more: &[&str]) {
    let (packages, python) = fuzzer();
    let token = caller.token().await.expect("made").expect("one");
    let folder = desk.world.path(&format!("fuzz-{name}"));
    std::fs::create_dir(&folder).expect("made");
    let config = folder.join("schemathesis.toml");
    std::fs::write(&config, CONFIG.replace("{token}", &token)).expect("written");
    let mut command = Command::new(python);
    command
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(&config);
    command
        .arg("run")
        .arg(format!("{}/openapi.json", desk.rest.base()));
    command.args([
        "--checks",
        "all",
        "--exclude-checks",
        "use_after_free",
        "--max-examples",
        EXAMPLES,
        "--generation-deterministic",
    ]);
    command.args(["--no-shrink", "--no-color", "--continue-on-failure"]);
    command.args(more).env("PYTHONPATH", packages);
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(&folder);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(PATIENCE, command.output()).await;
    let output = output.expect("it ends").expect("python is here");
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {out}\n{err}");
    // An empty run would succeed as well.
    assert!(cases(&out) >= 100, "{name}: {out}");
}

/// How many calls a report tells of.
fn cases(report: &str) -> u32 {
    let line = report.lines().find_map(|line| {
        let line = line.trim();
        line.contains(" generated, ").then_some(line)
    });
    let first = line.and_then(|line| line.split(' ').next());
    first.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[test]
fn no_call_gets_an_answer_that_the_document_does_not_promise() {
    run(async {
        // A world of its own: prices that nobody expects are opened here.
        let place = place(WorldOptions::default()).await;
        let desk = Desk::of(place.world).await;
        let of = Customer::nobody();
        let account = format!("/v1/admin/accounts/{}", of.account);
        let body = account_body(of.tenant);
        done(&desk.rest, Method::PUT, &account, Some(&body)).await;
        opened(&desk.rest, "/v1/admin/pricing", &price_body(of)).await;
        let costs = "/v1/admin/operator-costs";
        opened(&desk.rest, costs, &cost_body(of.operator)).await;
        let message = desk.settle(of).await;
        desk.charge(message).await;

        let named = ["showUsage", "listCharges", "showCharge"];
        let own = named.map(|name| ["--include-operation-id", name]).concat();
        let customer = desk.rest.as_customer(of.tenant, of.account);
        let whole = desk.rest.as_role("account.admin", of.tenant, None);
        let (admin, ours) = (desk.rest.as_billing_admin(), desk.rest.as_platform_admin());
        tokio::join!(fuzzed(&desk, &admin, "billing-admin", &[]), async {
            fuzzed(&desk, &customer, "customer", &own).await;
            fuzzed(&desk, &whole, "tenant", &own).await;
            fuzzed(&desk, &ours, "platform-admin", &own).await;
        },);
        calm(&desk.billing);
    });
}
