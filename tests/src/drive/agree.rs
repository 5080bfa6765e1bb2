//! Makes an agreement known over REST, as the platform's people would.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use uuid::Uuid;

use crate::{
    traffic::agreement::{Agreement, Comes},
    world::{Fault, Rest},
};

/// Calls under way at the same time.
const AT_ONCE: usize = 16;

/// Registers the accounts and opens the prices of `agreement` that come at `comes`; the costs come
/// first. Returns the id of each version of a price by its place in the agreement.
///
/// # Errors
/// A call is refused.
pub async fn agree(
    rest: &Rest,
    agreement: &Agreement,
    comes: Comes,
) -> Result<BTreeMap<usize, Uuid>, Fault> {
    let admin = rest.as_billing_admin();
    let costs = agreement.costs.iter().filter(|_| comes == Comes::First);
    let costs = costs.map(|cost| {
        let admin = admin.clone();
        async move { admin.open_cost(cost).await?.made() }
    });
    all(costs).await?;
    let prices = agreement.prices.iter().enumerate();
    let prices = prices.filter(|(_, price)| price.comes == comes);
    let opened = prices.map(|(place, price)| {
        let admin = admin.clone();
        async move {
            let made = admin.open_price(price).await?.made()?;
            let id = made["pricingTableId"].as_str();
            let id = id
                .ok_or("a price without pricingTableId")?
                .parse::<Uuid>()?;
            Ok::<_, Fault>((place, id))
        }
    });
    let opened = all(opened).await?;
    let accounts = agreement.accounts.iter();
    let accounts = accounts.filter(|(_, account)| account.comes == comes);
    let registered = accounts.map(|(id, account)| {
        let admin = admin.clone();
        async move {
            // The latest first: what waits for its account must not be charged by a version that
            // is to last until the next one only.
            let versions: Vec<_> = account.versions().collect();
            for version in versions.iter().rev() {
                admin.register(*id, version).await?.made()?;
            }
            Ok(())
        }
    });
    all(registered).await?;
    Ok(opened.into_iter().collect())
}

async fn all<T>(
    calls: impl Iterator<Item = impl Future<Output = Result<T, Fault>>>,
) -> Result<Vec<T>, Fault> {
    let calls = stream::iter(calls).buffer_unordered(AT_ONCE);
    calls.try_collect().await
}
