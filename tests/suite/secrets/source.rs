//! A vault as the source of every secret, and its agents, which write them to files: one for each
//! service, with a token for what that service needs.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::{Value, json};
use tests::{
    stack::{Agent, PkiRole, Template, Vault},
    world::{DATABASE, World},
};

/// How long a certificate is good, in seconds; the agent asks for another a tenth of it earlier.
pub(super) const CERTIFICATE_LIFE: u64 = 40;

const DLR: PkiRole = PkiRole {
    name: "nats-dlr",
    for_name: "dlr-processor",
    server: false,
};
const BILLING: PkiRole = PkiRole {
    name: "nats-billing",
    for_name: "billing-service",
    server: false,
};
const REST: PkiRole = PkiRole {
    name: "rest",
    for_name: "localhost",
    server: true,
};

/// One service's secrets.
pub(super) struct Secrets {
    role: &'static str,
    url: String,
    token: String,
}

impl Secrets {
    fn of(world: &World, role: &'static str) -> Self {
        Self {
            role,
            url: world.postgres.url(role, DATABASE),
            token: format!("collector-{role}-first"),
        }
    }

    /// What the vault keeps under the role's name.
    fn fields(&self) -> Value {
        json!({ "url": self.url, "token": self.token })
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }
}

/// The vault and its agents.
pub(super) struct Source {
    vault: Vault,
    dlr_agent: Agent,
    billing_agent: Agent,
    pub(super) dlr: Secrets,
    pub(super) billing: Secrets,
    /// Everything that was ever secret.
    said: Vec<String>,
}

impl Source {
    /// Keeps the secrets of this world, and has them written.
    pub(super) async fn open(world: &World, jwks: &str, master_keys: &str) -> Self {
        let vault = Vault::start().await.expect("a vault: ./dev --all fetch");
        let authority = world.nats.authority().expect("an authority");
        vault.sign_as(authority).await.expect("signs");
        for role in [DLR, BILLING, REST] {
            vault.add_role(role).await.expect("a role");
        }
        let (dlr, billing) = (
            Secrets::of(world, "dlr_svc"),
            Secrets::of(world, "billing_svc"),
        );
        for secrets in [&dlr, &billing] {
            let kept = vault.keep(secrets.role, &secrets.fields()).await;
            kept.expect("kept");
        }
        let kept = vault.keep("jwks", &json!({ "set": jwks })).await;
        kept.expect("kept");
        let kept = vault.keep("master", &json!({ "keys": master_keys })).await;
        kept.expect("kept");
        let dlr_agent = agent(&vault, &dlr, &[DLR]).await;
        let billing_agent = agent(&vault, &billing, &[BILLING, REST]).await;
        let mut source = Self {
            vault,
            dlr_agent,
            billing_agent,
            dlr,
            billing,
            said: Vec::new(),
        };
        source.remember(master_keys);
        source
    }

    /// The settings that name the agent's files, in place of those that name secrets.
    pub(super) fn settings_of_dlr(&self, world: &World) -> BTreeMap<&'static str, String> {
        let variables = world.variables("dlr-processor", "dlr_svc");
        with_files(variables, &self.dlr_agent)
    }

    /// The same of `tollbook billing`.
    pub(super) async fn settings_of_billing(
        &self,
        world: &World,
    ) -> BTreeMap<&'static str, String> {
        let variables = world.billing_variables().await.expect("settings");
        let agent = &self.billing_agent;
        let mut variables = with_files(variables, agent);
        for (name, file) in [
            ("JWT_JWKS_FILE", "jwks.json"),
            ("BILLING_TLS_CERT_FILE", "rest.crt"),
            ("BILLING_TLS_KEY_FILE", "rest.key"),
        ] {
            variables.insert(name, agent.file(file).display().to_string());
        }
        variables
    }

    /// Gives a role another password, in Postgres and then in the vault.
    pub(super) async fn rotate_password(&mut self, database: &tokio_postgres::Client) {
        for secrets in [&mut self.dlr, &mut self.billing] {
            let password = format!("rotated-{}", secrets.role);
            let sql = format!("alter role {} password '{password}'", secrets.role);
            database.batch_execute(&sql).await.expect("altered");
            let (before, after) = secrets.url.split_once('@').expect("a login");
            let (login, old) = before.rsplit_once(':').expect("a password");
            self.said.push(old.to_owned());
            secrets.url = format!("{login}:{password}@{after}");
            self.said.push(password);
            let kept = self.vault.keep(secrets.role, &secrets.fields()).await;
            kept.expect("kept");
        }
    }

    /// Gives each service another token for the collector.
    pub(super) async fn rotate_tokens(&mut self) {
        for secrets in [&mut self.dlr, &mut self.billing] {
            self.said.push(secrets.token.clone());
            secrets.token = format!("collector-{}-second", secrets.role);
            self.said.push(secrets.token.clone());
            let kept = self.vault.keep(secrets.role, &secrets.fields()).await;
            kept.expect("kept");
        }
    }

    /// Has another set of keys for tokens written.
    pub(super) async fn keep_jwks(&self, jwks: &Value) {
        let set = jwks.to_string();
        let kept = self.vault.keep("jwks", &json!({ "set": set })).await;
        kept.expect("kept");
    }

    /// Has other master keys written.
    pub(super) async fn keep_master_keys(&mut self, keys: &str) {
        self.remember(keys);
        let kept = self.vault.keep("master", &json!({ "keys": keys })).await;
        kept.expect("kept");
    }

    /// The file with the master keys.
    pub(super) fn master_key_file(&self) -> String {
        self.dlr_agent.file("master.key").display().to_string()
    }

    /// The content of the files of both services that are called so.
    pub(super) fn files(&self, name: &str) -> [String; 2] {
        self.paths(name)
            .map(|path| fs::read_to_string(path).unwrap_or_default())
    }

    /// Whether a text holds anything that was ever secret.
    pub(super) fn is_told_in(&self, text: &str) -> bool {
        self.said.iter().any(|secret| text.contains(secret))
    }

    fn paths(&self, name: &str) -> [PathBuf; 2] {
        [self.dlr_agent.file(name), self.billing_agent.file(name)]
    }

    fn remember(&mut self, master_keys: &str) {
        let keys = master_keys.lines().filter_map(|line| line.split_once(' '));
        self.said.extend(keys.map(|(_, key)| key.to_owned()));
    }
}

/// An agent that writes what one service needs.
async fn agent(vault: &Vault, secrets: &Secrets, roles: &[PkiRole]) -> Agent {
    let role = secrets.role;
    let mut templates = vec![
        kept("url", role, "url"),
        kept("token", role, "token"),
        kept("master.key", "master", "keys"),
        issued("tls", roles[0], ""),
    ];
    let mut paths = vec![role, "master"];
    if let Some(rest) = roles.get(1) {
        templates.push(kept("jwks.json", "jwks", "set"));
        templates.push(issued("rest", *rest, "\"ip_sans=127.0.0.1\""));
        paths.push("jwks");
    }
    let names: Vec<_> = roles.iter().map(|role| role.name).collect();
    let token = vault
        .token_for(role, &paths, &names)
        .await
        .expect("a token");
    let agent = Agent::start(vault, &token, &templates).await;
    agent.expect("an agent")
}

/// A field of a secret that the vault keeps.
fn kept(file: &'static str, path: &str, field: &str) -> Template {
    let text = format!(
        "{{{{ with secret \"secret/data/{path}\" }}}}{{{{ .Data.data.{field} }}}}{{{{ end }}}}"
    );
    Template { file, text }
}

/// A certificate that the vault makes, and beside it the key.
fn issued(file: &str, role: PkiRole, more: &str) -> Template {
    let text = format!(
        "{{{{ with pkiCert \"pki/issue/{}\" \"common_name={}\" \"ttl={CERTIFICATE_LIFE}s\" {more} }}}}\
         {{{{ .Cert }}}}{{{{ .Key | writeToFile \"FOLDER/{file}.key\" \"\" \"\" \"0600\" }}}}{{{{ end }}}}",
        role.name, role.for_name
    );
    let file = if file == "tls" { "tls.crt" } else { "rest.crt" };
    Template { file, text }
}

fn with_files(
    mut variables: BTreeMap<&'static str, String>,
    agent: &Agent,
) -> BTreeMap<&'static str, String> {
    variables.remove("DATABASE_URL");
    for (name, file) in [
        ("DATABASE_URL_FILE", "url"),
        ("OTEL_EXPORTER_OTLP_TOKEN_FILE", "token"),
        ("MASTER_KEY_FILE", "master.key"),
        ("NATS_CERT_FILE", "tls.crt"),
        ("NATS_KEY_FILE", "tls.key"),
    ] {
        variables.insert(name, agent.file(file).display().to_string());
    }
    variables
}
