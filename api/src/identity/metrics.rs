//! What the keys that verify tokens look like from outside, told when it is asked for.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::gauge::ConstGauge,
};

use super::jwks::Keys;

/// Tells how old the set of keys is, and how many there are.
#[derive(Debug)]
pub struct KeyGauges(pub Arc<Keys>);

impl Collector for KeyGauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut tell = |name: &'static str, help: &'static str, value: Option<i64>| {
            let gauge = ConstGauge::new(value.unwrap_or(i64::MAX));
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)
        };
        tell(
            "billing_jwks_age_seconds",
            "Since the keys that verify tokens were last read",
            i64::try_from(self.0.age().as_secs()).ok(),
        )?;
        tell(
            "billing_jwks_keys",
            "Keys that verify tokens now",
            i64::try_from(self.0.count()).ok(),
        )
    }
}
