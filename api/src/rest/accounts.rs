//! Accounts: whose they are, what they have subscribed to, what they pay in, and the name and the
//! address on their invoices.
//!
//! Name and address may be a person's. They are opened only for the answer of an endpoint here, and
//! neither problems nor logs ever hold them.

mod put;
mod show;

use actors::runtime::decider::EventPlace;
use eventstore::seal;
use projections::{
    Reader,
    accounts::accounts::{self, Account},
};
use schema::{
    AccountId, AccountTier, Currency, Personal, Sealed, SealedValue, StreamId, TenantId, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::{fault, state::AppState};
use crate::http::{endpoint::Endpoint, problem::Problem};

/// All of them.
pub(super) fn endpoints() -> Vec<Endpoint<AppState>> {
    vec![show::endpoint(), put::endpoint()]
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

/// A registered account.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AccountRow {
    /// The account.
    account_id: AccountId,
    /// Whose it is.
    tenant_id: TenantId,
    /// What it has subscribed to.
    account_tier: AccountTier,
    /// What it pays in.
    currency: Currency,
    /// The name on its invoices; null once it is erased.
    #[serde(serialize_with = "exposed")]
    #[schemars(with = "Option<String>")]
    billing_name: Option<Personal>,
    /// The address on its invoices; null once it is erased.
    #[serde(serialize_with = "exposed")]
    #[schemars(with = "Option<String>")]
    billing_address: Option<Personal>,
    /// When it was registered.
    created_at: Timestamp,
    /// When it was registered or changed last.
    changed_at: Timestamp,
}

/// Here personal data leaves us, to somebody who may see it.
#[expect(
    clippy::ref_option,
    reason = "serde calls it with a reference to the field"
)]
fn exposed<S: Serializer>(data: &Option<Personal>, serializer: S) -> Result<S::Ok, S::Error> {
    data.as_ref().map(Personal::expose).serialize(serializer)
}

/// The account, if it is registered.
async fn find(reader: &Reader, account: AccountId) -> Result<Option<Account>, Problem> {
    let found = accounts::find(reader, account).await;
    found.map_err(fault::unread)
}

/// The account with its name and address opened.
async fn opened(shared: &AppState, account: Account) -> Result<AccountRow, Problem> {
    let opener = Opener::new(shared, &account);
    let billing_name = opener
        .open(account.billing_name.as_ref(), Sealed::BILLING_NAME)
        .await?;
    let billing_address = opener
        .open(account.billing_address.as_ref(), Sealed::BILLING_ADDRESS)
        .await?;
    Ok(AccountRow {
        account_id: account.account,
        tenant_id: account.tenant,
        account_tier: account.account_tier,
        currency: account.currency,
        billing_name,
        billing_address,
        created_at: account.created_at,
        changed_at: account.changed_at,
    })
}

/// Opens what was sealed in one event.
struct Opener<'a> {
    shared: &'a AppState,
    place: EventPlace,
}

impl<'a> Opener<'a> {
    const fn new(shared: &'a AppState, account: &Account) -> Self {
        let place = EventPlace {
            log: shared.reader.log(),
            stream: StreamId::account(account.account),
            version: account.sealed_version,
        };
        Self { shared, place }
    }

    /// The data, unless there is none or its key is destroyed.
    async fn open(
        &self,
        sealed: Option<&SealedValue>,
        field: &str,
    ) -> Result<Option<Personal>, Problem> {
        let Some(sealed) = sealed else {
            return Ok(None);
        };
        let id = seal::key_of(sealed).map_err(|error| fault::broken(&error))?;
        let keys = self.shared.keyring.by_id(&[id]).await;
        let keys = keys.map_err(|error| fault::keyless(&error))?;
        let Some(key) = keys.get(&id) else {
            return Ok(None);
        };
        let key = key
            .as_ref()
            .map_err(|&locked| fault::keyless(&locked.into()))?;
        let opened = key.open(&self.place.of_field(field), sealed);
        opened.map(Some).map_err(|error| fault::broken(&error))
    }
}
