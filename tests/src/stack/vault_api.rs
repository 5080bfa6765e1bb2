//! What is asked of a vault: secrets, certificates, and who may read which.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

use super::{
    certs::Authority,
    error::{Error, Result},
    vault::Vault,
};

/// Whose certificates a role of the vault makes.
#[derive(Debug, Clone, Copy)]
pub struct PkiRole {
    /// The role's name.
    pub name: &'static str,
    /// The one DNS name it makes certificates for.
    pub for_name: &'static str,
    /// For servers, or else for clients.
    pub server: bool,
}

impl Vault {
    /// Keeps a secret, a new version of what was there.
    ///
    /// # Errors
    /// The vault refuses.
    pub async fn keep(&self, path: &str, fields: &Value) -> Result<()> {
        let body = json!({ "data": fields });
        self.post(&format!("secret/data/{path}"), &body).await?;
        Ok(())
    }

    /// Signs certificates as this authority.
    ///
    /// # Errors
    /// The vault refuses.
    pub async fn sign_as(&self, authority: &Authority) -> Result<()> {
        self.post("sys/mounts/pki", &json!({ "type": "pki" }))
            .await?;
        let bundle = format!("{}{}", authority.pem(), authority.key_pem());
        let body = json!({ "pem_bundle": bundle });
        self.post("pki/config/ca", &body).await?;
        Ok(())
    }

    /// Makes a role that certificates are asked of.
    ///
    /// # Errors
    /// The vault refuses.
    pub async fn add_role(&self, role: PkiRole) -> Result<()> {
        let body = json!({
            "allowed_domains": [role.for_name],
            "allow_bare_domains": true,
            "enforce_hostnames": false,
            "allow_ip_sans": true,
            "server_flag": role.server,
            "client_flag": !role.server,
            "key_type": "ec",
            "key_bits": 256,
            "max_ttl": "1h",
        });
        self.post(&format!("pki/roles/{}", role.name), &body)
            .await?;
        Ok(())
    }

    /// A token that reads these secrets and asks these roles for certificates, and nothing else.
    ///
    /// # Errors
    /// The vault refuses.
    pub async fn token_for(&self, name: &str, secrets: &[&str], roles: &[&str]) -> Result<String> {
        let read = secrets
            .iter()
            .map(|path| format!("path \"secret/data/{path}\" {{ capabilities = [\"read\"] }}\n"));
        let issue = roles.iter().map(|role| {
            format!("path \"pki/issue/{role}\" {{ capabilities = [\"create\", \"update\"] }}\n")
        });
        let policy: String = read.chain(issue).collect();
        let body = json!({ "policy": policy });
        self.post(&format!("sys/policies/acl/{name}"), &body)
            .await?;
        let body = json!({ "policies": [name], "period": "1h" });
        let made = self.post("auth/token/create", &body).await?;
        let token = made["auth"]["client_token"].as_str();
        Ok(token.unwrap_or_default().to_owned())
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let refused = |what: String| Error::Vault {
            path: path.to_owned(),
            what,
        };
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/v1/{path}", self.url()))
            .header("x-vault-token", self.token())
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|error| refused(error.to_string()))?;
        let http = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        let answer = http.request(request).await;
        let answer = answer.map_err(|error| refused(error.to_string()))?;
        let status = answer.status();
        let body = answer.into_body().collect().await;
        let body = body.map_err(|error| refused(error.to_string()))?.to_bytes();
        if !status.is_success() {
            let said = String::from_utf8_lossy(&body);
            return Err(refused(format!("{status}: {said}")));
        }
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }
}
