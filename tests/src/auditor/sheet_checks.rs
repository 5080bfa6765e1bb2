//! Checks of sheets: each is in the log as a whole, or not at all.

use super::{
    Invariant,
    billing_facts::SheetApplied,
    facts::{Body, Log, LogEvent},
    findings::Findings,
};

/// A sheet's versions stand right before its own event, as many of each kind as it says, by the same
/// author and recorded at the same time.
pub(super) fn check(log: &Log, findings: &mut Findings) {
    for (place, event) in log.events.iter().enumerate() {
        let Body::SheetApplied(sheet) = &event.body else {
            continue;
        };
        let whole = before(log, place, sheet).is_some_and(|versions| {
            let count = |of: fn(&Body) -> bool| versions.iter().filter(|it| of(&it.body)).count();
            let (opened, closed) = if sheet.of_prices {
                (count(is_price_opened), count(is_price_closed))
            } else {
                (count(is_cost_opened), count(is_cost_closed))
            };
            let once = |it: &LogEvent| {
                it.recorded_at == event.recorded_at && it.principal == event.principal
            };
            (opened, closed) == (sheet.opened, sheet.closed) && versions.iter().all(once)
        });
        let told = sheet.opened + sheet.closed + sheet.unchanged >= sheet.lines;
        findings.hold(Invariant::SheetWhole, whole && told, || {
            format!("position {}", event.position)
        });
    }
}

/// As many events before `place` as the sheet says.
fn before<'a>(log: &'a Log, place: usize, sheet: &SheetApplied) -> Option<&'a [LogEvent]> {
    let from = place.checked_sub(sheet.opened + sheet.closed)?;
    log.events.get(from..place)
}

const fn is_price_opened(body: &Body) -> bool {
    matches!(body, Body::PriceOpened(_))
}

const fn is_price_closed(body: &Body) -> bool {
    matches!(body, Body::PriceClosed(_))
}

const fn is_cost_opened(body: &Body) -> bool {
    matches!(body, Body::CostOpened(_))
}

const fn is_cost_closed(body: &Body) -> bool {
    matches!(body, Body::CostClosed(_))
}
