//! Prices, costs and exchange rates: versions that are opened, replaced and closed, one by one and, but
//! for rates, by sheets.

mod exchange_rates;
mod operator_costs;
mod pricing;
mod sheets;
mod versions;

use schema::versioned::{Cost, ExchangeRate, Price};

use super::state::AppState;
use crate::http::endpoint::Endpoint;

/// All of them.
pub(super) fn endpoints() -> Vec<Endpoint<AppState>> {
    let of_prices = versions::endpoints::<Price>();
    let of_costs = versions::endpoints::<Cost>();
    let of_rates = versions::endpoints::<ExchangeRate>();
    let by_sheets = [sheets::endpoint::<Price>(), sheets::endpoint::<Cost>()];
    let all = of_prices.into_iter().chain(of_costs).chain(of_rates);
    all.chain(by_sheets).collect()
}
