//! The API guide: its commands do what it says, in the order in which it says them.

use std::process::Stdio;

use tests::world::WorldOptions;
use tokio::{process::Command, time::timeout};

use crate::fixture::{PATIENCE, place, run};

const GUIDE: &str = include_str!("../../../docs/guides/api.md");
/// Starts the servers; here they are there already.
const FIRST: &str = "./dev up >/dev/null && set -a && . .dev/up.env && set +a";
/// Tells the status of each call, on stderr, where the guide's own pipes do not see it. A machine
/// that has no curl has Python.
const PRELUDE: &str = "set -euo pipefail
curl() {
    if type -P curl >/dev/null; then
        command curl -w '%{stderr}status %{http_code}\\n' \"$@\"
    else
        python3 \"$CURL\" \"$@\"
    fi
}
";
/// What stands in for curl.
const CURL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/suite/rest/curl.py");

/// The shell blocks of the guide, one after the other.
fn script() -> String {
    let mut script = PRELUDE.to_owned();
    let mut inside = false;
    for line in GUIDE.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            _ if inside && line != FIRST => {
                script.push_str(line);
                script.push('\n');
            }
            _ => {}
        }
    }
    script
}

#[test]
fn the_commands_of_the_api_guide_work() {
    assert!(GUIDE.contains(FIRST), "the guide begins in another way");
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let billing = world.billing(&[]).await.expect("a service");
        let mut variables = world.billing_variables().await.expect("keys");
        variables.retain(|name, _| name.starts_with("JWT_"));
        let key = world.path("keys/signing-key.pem").display().to_string();
        let binary = tests::world::binary().expect("built").display().to_string();
        variables.insert("JWT_KEY_FILE", key);
        variables.insert("TOLLBOOK", binary);
        variables.insert("CURL", CURL.to_owned());
        variables.insert("BILLING_URL", format!("http://{}", billing.rest_address()));
        variables.insert("PATH", std::env::var("PATH").expect("a PATH"));
        let mut bash = Command::new("bash");
        bash.args(["-c", &script()]).env_clear().envs(variables);
        bash.stdin(Stdio::null()).kill_on_drop(true);
        let output = timeout(PATIENCE, bash.output()).await;
        let output = output.expect("it ends").expect("bash is here");
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(output.status.success(), "{err}\n{out}");
        let statuses: Vec<_> = err
            .lines()
            .filter_map(|line| line.strip_prefix("status "))
            .collect();
        // The account, at another time, its history, all accounts; price, cost; the price found,
        // replaced, and its history; usage twice; charges as a page and as a table; what waits;
        // what was settled twice; a refusal.
        let expected = [
            "201", "200", "200", "200", "201", "201", "200", "200", "200", "200", "200", "200",
            "200", "200", "200", "400",
        ];
        assert_eq!(statuses, expected, "{out}");
        super::fixture::calm(&billing);
    });
}
