//! API keys, as the gateway (Kong) resolves them.
//!
//! Only for calls that came on a connection with the gateway's certificate: the same headers from
//! anybody else mean nothing.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};
use schema::{AccountId, TenantId};

use super::{
    ACCOUNT, Caller, Stranger, TENANT,
    principal::{Kind, Principal},
};

/// Which key it was.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key-id");
/// What the key may do, separated by spaces or commas.
const SCOPES: HeaderName = HeaderName::from_static("x-scopes");

/// The caller whom `gateway` names.
///
/// # Errors
/// It names nobody, or not in the way we agreed.
pub fn caller(gateway: &Arc<str>, headers: &HeaderMap) -> Result<Caller, Stranger> {
    named(gateway, headers).ok_or(Stranger::NoCredentials)
}

fn named(gateway: &Arc<str>, headers: &HeaderMap) -> Option<Caller> {
    let key = only(headers, &API_KEY)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if !(1..=128).contains(&key.len()) || !key.bytes().all(plain) {
        return None;
    }
    let tenant = TenantId::parse(only(headers, &TENANT)?)?;
    // A key belongs to an account; one that named none would stand for the whole tenant.
    let account = AccountId::parse(only(headers, &ACCOUNT)?)?;
    let scopes = only(headers, &SCOPES).unwrap_or_default();
    let principal = Principal {
        kind: Kind::ApiKey,
        issuer: Arc::clone(gateway),
        tenant,
        subject: key.to_owned(),
    };
    Some(Caller::of_key(principal, account, scopes.split([' ', ','])))
}

/// The value of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}
