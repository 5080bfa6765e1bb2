//! A mistake is one line that names the key; secrets show nowhere.

use std::{fs, time::Duration};

use super::*;
use crate::cli::{Cli, Role};

/// A configuration file that goes away with the test.
struct File(PathBuf);

impl File {
    fn with(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tollbook-{name}-{}", std::process::id()));
        fs::write(&path, text).expect("writes");
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // Nothing depends on it being gone.
        let _ = fs::remove_file(&self.0);
    }
}

fn loaded(arguments: &[&str]) -> Result<Cli, ConfigError> {
    let program = std::iter::once(&"tollbook");
    load(program.chain(arguments).map(OsString::from))
}

fn with_file(name: &str, text: &str, arguments: &[&str]) -> Result<Cli, ConfigError> {
    let file = File::with(name, text);
    let path = file.0.to_string_lossy();
    loaded(&[&["--config", path.as_ref()], arguments].concat())
}

fn refusal(result: Result<Cli, ConfigError>) -> String {
    let line = result.expect_err("refused").to_string();
    assert_eq!(line.lines().count(), 1, "{line}");
    line
}

#[test]
fn a_bad_value_is_refused_by_the_name_of_its_key() {
    for (flag, key) in [
        ("--dlr-grace=soon", "DLR_GRACE: "),
        ("--dlr-batch=0", "DLR_BATCH: "),
        ("--db-pool-max=many", "DB_POOL_MAX: "),
        ("--probe-port=70000", "PROBE_PORT: "),
        ("--log-level=loud", "LOG_LEVEL: "),
        ("--nats-url=http://x", "NATS_URL: "),
        ("--otel-traces-sampler-arg=2", "OTEL_TRACES_SAMPLER_ARG: "),
        ("--nats-stream-dlr=a.b", "NATS_STREAM_DLR: "),
    ] {
        let line = refusal(loaded(&["dlr", flag]));
        assert!(line.starts_with(key), "{line}");
        let value = flag.split_once('=').map_or("", |(_, value)| value);
        assert!(
            value.len() < 4 || !line.contains(value),
            "{line} repeats what was given"
        );
    }
}

#[test]
fn the_file_fills_what_nobody_said_and_loses_to_who_did() {
    let text = "dlr_grace = \"9s\"\ndlr_batch = 77\nnats_url = [\"tls://a:1\", \"tls://b:2\"]\n";
    let cli = with_file("fills", text, &["dlr", "--dlr-batch=55"]).expect("good");
    let Role::Dlr(settings) = cli.role else {
        panic!("another role")
    };
    assert_eq!(settings.receipts.dlr_grace, Duration::from_secs(9));
    assert_eq!(settings.receipts.dlr_batch, 55);
    assert_eq!(settings.service.nats.nats_url.addresses.len(), 2);
    assert_eq!(settings.receipts.dlr_live_actors, 20_000);
}

#[test]
fn a_file_for_several_roles_may_hold_settings_of_another() {
    with_file("shared", "dlr_grace = \"9s\"\n", &["migrate"]).expect("good");
}

#[test]
fn an_unknown_key_is_named() {
    let line = refusal(with_file("unknown", "dlr_graze = \"5s\"\n", &["dlr"]));
    assert!(line.starts_with("dlr_graze: unknown key"), "{line}");
    let line = refusal(with_file("config", "tollbook_config = \"x\"\n", &["dlr"]));
    assert!(line.starts_with("tollbook_config: unknown key"), "{line}");
}

#[test]
fn a_bad_value_in_the_file_is_named_too() {
    let line = refusal(with_file("bad", "dlr_grace = 5\n", &["dlr"]));
    assert!(line.starts_with("DLR_GRACE: must be a duration"), "{line}");
    let line = refusal(with_file("table", "[dlr_grace]\n", &["dlr"]));
    assert!(line.starts_with("dlr_grace: must be"), "{line}");
}

#[test]
fn a_file_that_is_not_toml_is_named_with_the_line_and_not_quoted() {
    let line = refusal(with_file("broken", "\ndatabase_url = hunter2\n", &["dlr"]));
    assert!(
        line.ends_with("line 2 is not toml") && !line.contains("hunter2"),
        "{line}"
    );
    let line = refusal(loaded(&["--config", "/nowhere.toml", "dlr"]));
    assert!(line.starts_with("TOLLBOOK_CONFIG: /nowhere.toml"), "{line}");
}

#[test]
fn secrets_neither_print_nor_come_by_the_command_line() {
    let text = "database_url = \"postgres://u:hunter2@localhost/d\"\nnats_password = \"hunter2\"\n";
    let cli = with_file("secret", text, &["dlr"]).expect("good");
    assert!(!format!("{cli:?}").contains("hunter2"));
    let line = refusal(loaded(&["dlr", "--nats-password=hunter2"]));
    assert_eq!(
        line,
        "NATS_PASSWORD: is a secret and must not be on the command line"
    );
}

#[test]
fn what_belongs_together_is_checked() {
    let options = |arguments: &[&str]| {
        let Role::Dlr(settings) = loaded(arguments).expect("parses").role else {
            panic!("role")
        };
        settings
            .service
            .nats
            .options()
            .map(drop)
            .expect_err("refused")
            .to_string()
    };
    let key = "NATS_KEY_FILE: is needed and not set";
    assert_eq!(options(&["dlr", "--nats-cert-file=/c"]), key);
    let away = options(&["dlr", "--nats-url=nats://elsewhere"]);
    assert_eq!(
        away,
        "NATS_URL: must say tls:// unless it names only this machine"
    );
    let gone = options(&["dlr", "--nats-ca-file=/nowhere"]);
    assert!(
        gone.starts_with("NATS_CA_FILE: cannot read /nowhere"),
        "{gone}"
    );
    assert_eq!(
        options(&["dlr", "--nats-user=me"]),
        "NATS_PASSWORD: is needed and not set"
    );
}

#[test]
fn the_help_lists_every_variable_with_its_default() {
    let command = command::<Cli>();
    let dlr = command.find_subcommand("dlr").expect("a role").clone();
    let help = dlr.clone().term_width(0).render_long_help().to_string();
    for variable in [
        "NATS_URL",
        "NATS_STREAM_DLR",
        "NATS_CA_FILE",
        "NATS_CERT_FILE",
        "NATS_KEY_FILE",
        "NATS_USER",
        "NATS_PASSWORD",
        "NATS_PASSWORD_FILE",
        "DATABASE_URL",
        "DATABASE_URL_FILE",
        "DATABASE_CA_FILE",
        "DB_POOL_MAX",
        "DB_TIMEOUT",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TOKEN",
        "OTEL_EXPORTER_OTLP_TOKEN_FILE",
        "OTEL_TRACES_SAMPLER_ARG",
        "MASTER_KEY_FILE",
        "DLR_GRACE",
        "DLR_ORPHAN_KEEP",
        "DLR_MAX_ACK_PENDING",
        "DLR_BATCH",
        "DLR_LIVE_ACTORS",
        "PROBE_PORT",
        "PROBE_ADDRESS",
        "LOG_LEVEL",
        "SERVICE_NAME",
    ] {
        assert!(
            help.contains(&format!("[env: {variable}]")),
            "{variable} is missing in\n{help}"
        );
    }
    for default in [
        "[default: 5s]",
        "[default: 72h]",
        "[default: 20000]",
        "[default: SMS_DLR]",
    ] {
        assert!(help.contains(default), "{default} is missing in\n{help}");
    }
    for role in command.get_subcommands() {
        for arg in role.get_arguments().filter(|arg| arg.get_env().is_some()) {
            let id = arg.get_id().as_str();
            assert_eq!(
                name_of(arg).as_deref(),
                Some(id),
                "a setting is named by its variable"
            );
            assert!(arg.is_hide_env_values_set(), "{id}");
        }
    }
}
