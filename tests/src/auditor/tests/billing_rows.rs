//! The tables of billing as JSON arrays that Postgres takes apart, for tests on a real server.

use serde_json::{Value, json};

use super::{billing_world::Shown, world::start};

/// Rows by table.
pub(super) fn billing_tables(shown: &Shown) -> [(&'static str, Vec<Value>); 9] {
    [
        ("billing.billing_events", charges(shown)),
        ("billing.held_charges", held(shown)),
        ("billing.usage_summaries", hours(shown)),
        ("billing.usage_days", days(shown)),
        ("billing.pricing_tables", prices(shown)),
        ("billing.operator_costs", costs(shown)),
        ("billing.accounts", accounts(shown)),
        ("billing.account_versions", account_versions(shown)),
        ("billing.access_log", accesses(shown)),
    ]
}

fn charges(shown: &Shown) -> Vec<Value> {
    let rows = shown.charges.iter().map(|row| {
        json!({
            "log_id": 1, "position": row.position, "billing_event_id": row.billing_event_id,
            "message_id": row.message_id, "tenant_id": row.tenant_id,
            "account_id": row.account_id, "operator_id": row.operator_id,
            "pricing_table_id": row.pricing_table_id, "operator_cost_id": row.operator_cost_id,
            "charged_at": row.times[0], "rated_at": row.times[1], "created_at": row.times[2],
            "segment_count": row.segment_count, "own_price": row.flags[0],
            "billed": row.flags[1], "cost_missing": row.flags[2], "clock_skew": row.flags[3],
            "late": row.flags[4], "currency": row.words[0], "account_tier": row.words[1],
            "direction": row.words[2], "dlr_status": row.words[3],
            "customer_price": row.amounts[0], "operator_cost": row.amounts[1],
            "converted_cost": row.known[0], "margin": row.known[1],
            "margin_unknown": row.known[1].is_none(), "cost_currency": row.cost_currency,
            "exchange_rate_id": row.exchange_rate_id,
            "assessed_position": row.assessed_position,
        })
    });
    rows.collect()
}

fn held(shown: &Shown) -> Vec<Value> {
    let rows = shown.held.iter().map(|row| {
        json!({
            "log_id": 1, "position": row.position, "message_id": row.message_id,
            "tenant_id": row.tenant_id, "account_id": row.account_id,
            "account_tier": row.account_tier, "operator_id": row.operator_id,
            "direction": row.words[0], "currency": row.currency, "dlr_status": row.words[1],
            "segment_count": row.segment_count, "charged_at": row.times[0],
            "rated_at": row.times[1], "reason": row.words[2], "held_at": row.times[2],
            "resolved_at": row.resolved_at,
        })
    });
    rows.collect()
}

fn hours(shown: &Shown) -> Vec<Value> {
    let rows = shown.hours.iter().map(|(bucket, usage)| {
        let (tenant, account, operator, currency, hour) = bucket;
        let hour = schema::Timestamp::from_micros(hour * 3_600_000_000);
        json!({
            "tenant_id": tenant, "account_id": account, "operator_id": operator,
            "currency": currency, "hour": hour, "message_count": usage.messages,
            "segment_count": usage.segments, "customer_price": usage.price,
            "operator_cost": usage.cost, "margin": usage.margin,
            "cost_missing_count": usage.cost_missing,
            "margin_unknown_count": usage.margin_unknown, "log_id": 1, "position": 1,
        })
    });
    rows.collect()
}

fn days(shown: &Shown) -> Vec<Value> {
    let rows = shown.days.iter().map(|(bucket, usage)| {
        let (tenant, account, operator, currency, day) = bucket;
        json!({
            "tenant_id": tenant, "account_id": account, "operator_id": operator,
            "currency": currency, "day": day.to_string(), "message_count": usage.messages,
            "segment_count": usage.segments, "customer_price": usage.price,
            "operator_cost": usage.cost, "margin": usage.margin,
            "cost_missing_count": usage.cost_missing,
            "margin_unknown_count": usage.margin_unknown, "log_id": 1, "position": 1,
        })
    });
    rows.collect()
}

fn prices(shown: &Shown) -> Vec<Value> {
    let rows = (1..).zip(&shown.prices).map(|(position, row)| {
        let statuses: Vec<_> = row.words[4].split(',').collect();
        json!({
            "log_id": 1, "position": position, "pricing_table_id": row.id,
            "tenant_id": row.tenant_id, "account_tier": row.words[0],
            "operator_id": row.operator_id, "direction": row.words[1],
            "currency": row.words[2], "pricing_model": row.words[3], "unit_price": row.unit,
            "billable_statuses": statuses, "effective_from": row.from, "effective_to": row.to,
            "created_by": row.created_by, "created_at": row.created_at,
            "changed_position": position, "request": row.id,
        })
    });
    rows.collect()
}

fn costs(shown: &Shown) -> Vec<Value> {
    let rows = (1..).zip(&shown.costs).map(|(position, row)| {
        json!({
            "log_id": 1, "position": position, "operator_cost_id": row.id,
            "operator_id": row.operator_id, "direction": row.words[1],
            "cost_per_segment": row.unit, "currency": row.words[2],
            "due_statuses": row.words[4].split(',').collect::<Vec<_>>(),
            "effective_from": row.from, "effective_to": row.to, "created_by": row.created_by,
            "created_at": row.created_at, "changed_position": position, "request": row.id,
        })
    });
    rows.collect()
}

fn accounts(shown: &Shown) -> Vec<Value> {
    let rows = (1..).zip(&shown.accounts).map(|(position, row)| {
        json!({
            "log_id": 1, "position": position, "tenant_id": row.tenant_id,
            "account_id": row.account_id, "created_at": row.created_at, "changed_at": start(),
            "changed_position": position,
        })
    });
    rows.collect()
}

fn account_versions(shown: &Shown) -> Vec<Value> {
    let rows = shown.account_versions.iter().map(|row| {
        json!({
            "log_id": 1, "position": row.position, "tenant_id": row.tenant_id,
            "account_id": row.account_id, "effective_from": row.from,
            "account_tier": row.words[0], "currency": row.words[1],
            "invoice_language": row.words[2], "tax_category": row.words[3],
            "tax_rate": row.words[4], "tax_country": row.words[5],
            "payment_terms_days": row.payment_terms_days, "sealed_version": 1,
            "created_by": row.created_by, "created_at": row.created_at,
            "replaced_position": row.replaced,
        })
    });
    rows.collect()
}

fn accesses(shown: &Shown) -> Vec<Value> {
    let rows = shown.accesses.iter().map(|row| {
        json!({
            "log_id": 1, "position": row.position, "tenant_id": row.tenant_id,
            "account_id": row.account_id, "more_account_ids": row.more_account_ids,
            "caller_tenant_id": row.caller_tenant_id, "principal": row.principal,
            "endpoint": row.endpoint, "refused_with": row.refused_with, "calls": row.calls,
            "request_id": row.request_id, "occurred_at": row.created_at,
            "last_at": row.created_at, "created_at": row.created_at,
        })
    });
    rows.collect()
}
