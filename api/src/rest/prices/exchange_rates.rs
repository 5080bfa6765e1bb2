//! What one unit of a currency is in another, as the platform's people enter it. No customer ever
//! sees it.

mod bodies;

use projections::prices::exchange_rates::RateFilter;
use schema::{
    ExchangeRateId, ExchangeRateKey, Timestamp, event::RateTerms, versioned::ExchangeRate,
};

use self::bodies::{NewRate, RateChange, RatePath, RateQuery, RateRow};
use super::versions::{Asked, Operations, VersionResource, Wanted};
use crate::http::problem::{Code, Problem};

impl VersionResource for ExchangeRate {
    type Path = RatePath;
    type Query = RateQuery;
    type New = NewRate;
    type Change = RateChange;
    type Row = RateRow;

    const ALL: &'static str = "/v1/admin/exchange-rates";
    const ONE: &'static str = "/v1/admin/exchange-rates/{exchangeRateId}";
    const OPERATIONS: Operations = Operations {
        list: (
            "listExchangeRates",
            "Exchange rates, those in effect or all",
        ),
        open: ("openExchangeRate", "A new exchange rate"),
        show: ("showExchangeRate", "One exchange rate"),
        replace: (
            "replaceExchangeRate",
            "Another exchange rate in place of one",
        ),
        close: ("closeExchangeRate", "The end of an exchange rate"),
    };

    fn opening(new: NewRate) -> Result<Wanted<Self>, Problem> {
        let (base, quote) = (new.base_currency.0, new.quote_currency.0);
        if base == quote {
            let detail = "must be another currency than baseCurrency";
            let problem = Problem::new(Code::InvalidField).at("/quoteCurrency");
            return Err(problem.because(detail));
        }
        Ok(Wanted {
            terms: RateTerms {
                rate: new.rate.read("/rate")?,
            },
            key: ExchangeRateKey { base, quote },
            effective_from: new.effective_from,
            effective_to: new.effective_to,
        })
    }

    fn replacing(
        change: RateChange,
        _: RateTerms,
    ) -> Result<(RateTerms, Option<Timestamp>), Problem> {
        let rate = change.rate.read("/rate")?;
        Ok((RateTerms { rate }, change.effective_from))
    }
}

impl From<RatePath> for ExchangeRateId {
    fn from(path: RatePath) -> Self {
        path.exchange_rate_id
    }
}

impl From<RateQuery> for Asked<ExchangeRate> {
    fn from(query: RateQuery) -> Self {
        Self {
            filter: RateFilter {
                base: query.base_currency.map(|currency| currency.0),
                quote: query.quote_currency.map(|currency| currency.0),
            },
            active_only: query.active_only,
            cursor: query.cursor,
            limit: query.limit,
        }
    }
}
