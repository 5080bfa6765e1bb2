//! Accounts: whose they are, and what they are over time: what they have subscribed to, what they
//! pay in, how and to whom they are invoiced.
//!
//! Names, addresses and what else may be a person's are opened only for the answer of an endpoint
//! here, and neither problems nor logs ever hold them.

mod body;
mod history;
mod list;
mod put;
mod row;
mod show;

use schema::AccountId;
use schemars::JsonSchema;
use serde::Deserialize;

use super::state::AppState;
use crate::http::endpoint::Endpoint;

/// All of them.
pub(super) fn endpoints() -> Vec<Endpoint<AppState>> {
    vec![
        list::endpoint(),
        show::endpoint(),
        put::endpoint(),
        history::endpoint(),
    ]
}

/// Where an account is.
const PATH: &str = "/v1/admin/accounts/{accountId}";

/// Where one account is.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AccountPath {
    /// The account.
    account_id: AccountId,
}
