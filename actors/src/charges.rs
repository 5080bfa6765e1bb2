//! Charges: what a settled message costs its account, decided once.
//!
//! The [`intake`] brings settlements in, one actor per tenant ([`tenants`]) turns them into
//! charges ([`charging`]) with what the [`price_cache`] knows, and [`held`] rates later what could
//! not be rated at once. What a charge costs is assessed again by [`reassessment`]. The rules stand
//! in [`decide`].

pub mod charging;
pub mod decide;
pub mod held;
pub mod intake;
pub mod metrics;
pub mod price_cache;
pub mod reassessment;
pub mod tenant_actor;
pub mod tenants;
