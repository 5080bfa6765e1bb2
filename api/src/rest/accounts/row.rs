//! What callers see of an account: one version of it, with what it says of persons opened.

use actors::runtime::decider::EventPlace;
use eventstore::seal;
use projections::accounts::account_versions::AccountVersion;
use schema::{
    AccountId, AccountTier, CountryCode, Currency, InvoiceLanguage, PaymentDays, Personal,
    PostalAddress, Sealed, StreamId, TenantId, Timestamp, event::AccountTax,
};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::{
    http::problem::Problem,
    rest::{fault, state::AppState},
};

/// An account as it is in the time of one version.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Account")]
pub(super) struct AccountRow {
    /// The account.
    account_id: AccountId,
    /// Whose it is.
    tenant_id: TenantId,
    /// The first instant at which it is like this.
    effective_from: Timestamp,
    /// The first instant at which it is not any more; null while nothing comes after.
    effective_to: Option<Timestamp>,
    /// What it has subscribed to.
    account_tier: AccountTier,
    /// What it pays in.
    currency: Currency,
    /// The name it is invoiced under; null once it is erased.
    #[serde(serialize_with = "exposed_if_any")]
    #[schemars(with = "Option<String>")]
    legal_name: Option<Personal>,
    /// Who reads its invoices.
    #[serde(serialize_with = "exposed_if_any")]
    #[schemars(with = "Option<String>")]
    contact_name: Option<Personal>,
    /// Where its invoices go; null once it is erased.
    address: Option<AddressRow>,
    /// Its VAT id.
    #[serde(serialize_with = "exposed_if_any")]
    #[schemars(with = "Option<String>")]
    vat_id: Option<Personal>,
    /// The customer's own reference on its invoices.
    #[serde(serialize_with = "exposed_if_any")]
    #[schemars(with = "Option<String>")]
    purchase_order: Option<Personal>,
    /// How many days after its date an invoice is due.
    payment_terms_days: PaymentDays,
    /// The language of its invoices.
    invoice_language: InvoiceLanguage,
    /// The tax on its invoices.
    tax: AccountTax,
    /// Whether another version with the same beginning took its place; then it is history only.
    replaced: bool,
    /// Who said so.
    created_by: String,
    /// When that was recorded.
    created_at: Timestamp,
}

/// Where invoices go.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Address")]
struct AddressRow {
    /// Street, house, floor, post box.
    #[serde(serialize_with = "exposed_all")]
    #[schemars(with = "Vec<String>")]
    lines: Vec<Personal>,
    /// The postal code.
    #[serde(serialize_with = "exposed_if_any")]
    #[schemars(with = "Option<String>")]
    postal_code: Option<Personal>,
    /// The town.
    #[serde(serialize_with = "exposed")]
    #[schemars(with = "String")]
    city: Personal,
    /// State, county or province.
    #[serde(serialize_with = "exposed_if_any")]
    #[schemars(with = "Option<String>")]
    region: Option<Personal>,
    /// The country.
    country: CountryCode,
}

/// Here personal data leaves us, to somebody who may see it.
fn exposed<S: Serializer>(data: &Personal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(data.expose())
}

#[expect(
    clippy::ref_option,
    reason = "serde calls it with a reference to the field"
)]
fn exposed_if_any<S: Serializer>(
    data: &Option<Personal>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    data.as_ref().map(Personal::expose).serialize(serializer)
}

fn exposed_all<S: Serializer>(data: &[Personal], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(data.iter().map(Personal::expose))
}

impl From<PostalAddress> for AddressRow {
    fn from(address: PostalAddress) -> Self {
        Self {
            lines: address.lines,
            postal_code: address.postal_code,
            city: address.city,
            region: address.region,
            country: address.country,
        }
    }
}

/// The version with its personal data opened.
pub(super) async fn opened(
    shared: &AppState,
    version: AccountVersion,
) -> Result<AccountRow, Problem> {
    let opener = Opener {
        shared,
        version: &version,
    };
    let address = opener.open(Sealed::BILLING_ADDRESS).await?;
    Ok(AccountRow {
        account_id: version.facts.account_id,
        tenant_id: version.tenant,
        effective_from: version.effective_from,
        effective_to: version.effective_to,
        account_tier: version.facts.account_tier,
        currency: version.facts.currency,
        legal_name: opener.open(Sealed::LEGAL_NAME).await?,
        contact_name: opener.open(Sealed::CONTACT_NAME).await?,
        address: address
            .and_then(|text| PostalAddress::parse(&text))
            .map(AddressRow::from),
        vat_id: opener.open(Sealed::VAT_ID).await?,
        purchase_order: opener.open(Sealed::PURCHASE_ORDER).await?,
        payment_terms_days: version.facts.payment_terms_days,
        invoice_language: version.facts.invoice_language,
        tax: version.facts.tax,
        replaced: version.replaced,
        created_at: version.created_at,
        created_by: version.created_by,
    })
}

/// All of these, opened.
pub(super) async fn all_opened(
    shared: &AppState,
    versions: Vec<AccountVersion>,
) -> Result<Vec<AccountRow>, Problem> {
    let mut rows = Vec::with_capacity(versions.len());
    for version in versions {
        rows.push(opened(shared, version).await?);
    }
    Ok(rows)
}

/// Opens what was sealed in one event.
struct Opener<'a> {
    shared: &'a AppState,
    version: &'a AccountVersion,
}

impl Opener<'_> {
    /// The data of the field, unless there is none or its key is destroyed.
    async fn open(&self, field: &str) -> Result<Option<Personal>, Problem> {
        let Some(sealed) = self.version.sealed.0.get(field) else {
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
        let place = EventPlace {
            log: self.shared.reader.log(),
            stream: StreamId::account(self.version.facts.account_id),
            version: self.version.sealed_version,
        };
        let opened = key.open(&place.of_field(field), sealed);
        opened.map(Some).map_err(|error| fault::broken(&error))
    }
}
