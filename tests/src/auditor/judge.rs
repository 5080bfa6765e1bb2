//! Judges facts as they come in; knows nothing of where they come from.

use std::collections::BTreeMap;

use time::Date;
use uuid::Uuid;

use super::{
    Counts, Fault, Invariant, Report,
    account_tables::{AccountRow, AccountVersionRow},
    adjustments::{self, AdjustmentRow},
    agreed_checks,
    billing_tables::{AccessRow, Bucket, ChargeRow, HeldRow, Tables, VersionRow},
    charge_checks::{self, Charges},
    conflict_rows::{self, ConflictRow},
    facts::{Body, Log},
    findings::Findings,
    log_checks,
    margins::{Group, Margins, Question},
    orphan_checks,
    private::{self, Leak},
    published_checks::{Due, Subject},
    receipt_checks,
    rows::Rows,
    sheet_checks, statement_checks,
    statement_rows::{self, StatementRow},
    table_checks::{
        self, OrphanRow, ReceiptRow, ResolutionRow, Shown, StatusRow, orphan_row_holds,
        receipt_row_holds, resolution_row_holds,
    },
};
use crate::{
    money::Millionths,
    traffic::{Expected, agreement::Usage},
};

/// One audit.
pub(super) struct Judge<'a> {
    log: &'a Log,
    expected: &'a Expected,
    findings: Findings,
    counts: Counts,
    receipts: Shown,
    orphans: Shown,
    resolutions: Shown,
    tables: Tables,
    conflicts: Rows<i64, ConflictRow>,
    margins: Margins,
    statements: statement_rows::Due<'a>,
    usage: BTreeMap<String, Usage>,
}

impl<'a> Judge<'a> {
    /// Judges the log by itself and against what was sent. `billing`: what is settled must be
    /// charged or wait.
    pub(super) fn new(
        log: &'a Log,
        expected: &'a Expected,
        projections: &[&str],
        billing: bool,
    ) -> Self {
        let mut findings = Findings::default();
        log_checks::check(log, projections, &mut findings);
        receipt_checks::check(log, expected, &mut findings);
        orphan_checks::check(log, expected, &mut findings);
        sheet_checks::check(log, &mut findings);
        let known = charge_checks::check(log, expected, billing, &mut findings);
        adjustments::check(log, &mut findings);
        if let Some(agreement) = &expected.agreement {
            agreed_checks::check(log, agreement, &known, &mut findings);
        }
        statement_checks::check(log, &mut findings);
        let (receipts, orphans) = (
            Invariant::ReceiptRowsMatchLog,
            Invariant::OrphanRowsMatchLog,
        );
        Self {
            log,
            expected,
            findings,
            counts: count(log, &known),
            tables: Tables::due(log, &known),
            conflicts: conflict_rows::due(log),
            margins: Margins::due(log, &known),
            usage: usage(log, &known),
            statements: statement_rows::Due::new(log),
            receipts: Shown::new(log, receipts, "dlr.delivery_receipts"),
            orphans: Shown::new(log, orphans, "dlr.orphaned_receipts"),
            resolutions: Shown::new(log, orphans, "dlr.orphan_resolutions"),
        }
    }

    pub(super) fn receipt_row(&mut self, row: &ReceiptRow) {
        let log = self.log;
        self.counts.receipt_rows += 1;
        self.receipts
            .row(log, row.position, &mut self.findings, |event| {
                receipt_row_holds(log, event, row)
            });
    }

    pub(super) fn orphan_row(&mut self, row: &OrphanRow) {
        self.counts.orphan_rows += 1;
        let holds = |event: &_| orphan_row_holds(event, row);
        self.orphans
            .row(self.log, row.position, &mut self.findings, holds);
    }

    pub(super) fn resolution_row(&mut self, row: &ResolutionRow) {
        let holds = |event: &_| resolution_row_holds(event, row);
        self.resolutions
            .row(self.log, row.position, &mut self.findings, holds);
    }

    pub(super) fn status_row(&mut self, row: &StatusRow) {
        self.counts.messages += 1;
        table_checks::check_status(self.log, row, &mut self.findings);
    }

    /// All rows of all tables are through: what is missing is lost.
    pub(super) fn end_of_rows(&mut self) {
        let Self {
            log,
            expected,
            findings,
            ..
        } = self;
        self.receipts
            .end(log, findings, |event| event.message_receipt().is_some());
        self.orphans.end(log, findings, |event| {
            matches!(event.body, Body::Orphaned { .. })
        });
        self.resolutions.end(log, findings, |event| {
            matches!(event.body, Body::Matched(_))
        });
        table_checks::check_rows_there(self.counts.messages, expected, findings);
        self.tables.end(findings);
        self.conflicts.end(findings);
        self.margins.groups.end(findings);
        self.statements.end(findings);
    }

    pub(super) fn charge_row(&mut self, row: &ChargeRow) {
        self.counts.charge_rows += 1;
        self.tables
            .charges
            .row(row.message_id, row, &mut self.findings);
    }

    pub(super) fn held_row(&mut self, row: &HeldRow) {
        self.tables
            .held
            .row(row.message_id, row, &mut self.findings);
    }

    pub(super) fn conflict_row(&mut self, row: &ConflictRow) {
        self.conflicts.row(row.position, row, &mut self.findings);
    }

    pub(super) fn hour(&mut self, bucket: Bucket<i64>, usage: Usage) {
        self.counts.usage_rows += 1;
        self.tables.in_hours.absorb(usage);
        self.tables.hours.row(bucket, &usage, &mut self.findings);
    }

    pub(super) fn day(&mut self, bucket: Bucket<Date>, usage: Usage) {
        self.tables.in_days.absorb(usage);
        self.tables.days.row(bucket, &usage, &mut self.findings);
    }

    /// What finance may ask for.
    pub(super) fn questions(&self) -> Vec<Question> {
        self.margins.questions()
    }

    pub(super) fn margin(&mut self, group: Group, sum: Usage) {
        self.margins.groups.row(group, &sum, &mut self.findings);
    }

    pub(super) fn price_row(&mut self, row: &VersionRow) {
        self.tables.prices.row(row.id, row, &mut self.findings);
    }

    pub(super) fn cost_row(&mut self, row: &VersionRow) {
        self.tables.costs.row(row.id, row, &mut self.findings);
    }

    pub(super) fn account_row(&mut self, row: &AccountRow) {
        let key = (row.tenant_id, row.account_id);
        let accounts = &mut self.tables.accounts.accounts;
        accounts.row(key, row, &mut self.findings);
    }

    pub(super) fn account_version_row(&mut self, row: &AccountVersionRow) {
        let versions = &mut self.tables.accounts.versions;
        versions.row(row.position, row, &mut self.findings);
    }

    pub(super) fn access_row(&mut self, row: &AccessRow) {
        self.tables
            .accesses
            .row(row.position, row, &mut self.findings);
    }

    pub(super) fn adjustment_row(&mut self, row: &AdjustmentRow) {
        self.tables
            .adjustments
            .row(row.adjustment_id, row, &mut self.findings);
    }

    pub(super) fn statement_row(&mut self, row: &StatementRow) {
        self.statements.row(row, &mut self.findings);
    }

    pub(super) fn went_back(&mut self, messages: &[Uuid]) {
        table_checks::check_went_back(messages, &mut self.findings);
    }

    pub(super) fn leaks(&mut self, leaks: &[Leak]) {
        private::check(leaks, &mut self.findings);
    }

    /// Takes what was published on one subject.
    pub(super) fn published(&mut self, subject: Subject) -> Due<'_> {
        let count = match subject {
            Subject::Billing => &mut self.counts.billed,
            Subject::Webhook => &mut self.counts.webhooks,
            Subject::Unmatched => &mut self.counts.unmatched,
        };
        Due::new(subject, self.log, self.expected, &mut self.findings, count)
    }

    pub(super) fn into_report(self) -> Report {
        let total = |fault| self.findings.total(fault);
        Report {
            lost: total(Fault::Lost),
            doubled: total(Fault::Doubled),
            wrong: total(Fault::Wrong),
            findings: self.findings.kept,
            counts: self.counts,
            usage: self.usage,
        }
    }
}

fn count(log: &Log, known: &Charges<'_>) -> Counts {
    let mut counts = Counts::default();
    for event in &log.events {
        counts.events += 1;
        counts.receipts += u64::from(event.message_receipt().is_some());
        match event.body {
            Body::Settled { .. } => counts.settled += 1,
            Body::Late { .. } => counts.late += 1,
            Body::Orphaned { .. } => counts.orphaned += 1,
            Body::Matched(_) => counts.healed += 1,
            Body::Conflict(_) => counts.conflicts += 1,
            Body::Looked(ref looked) if looked.code.is_some() => {
                counts.looks_refused += u64::try_from(looked.calls).unwrap_or_default();
            }
            Body::Looked(ref looked) => counts.looks += u64::from(looked.account_id.is_some()),
            Body::PriceOpened(_) => counts.prices += 1,
            Body::CostOpened(_) => counts.costs += 1,
            Body::Charged(ref charged) => {
                counts.charges += 1;
                let costs = &charged.assessment;
                let loss = costs.margin.is_some_and(|it| it < Millionths::default());
                counts.losses += u64::from(loss);
                counts.costs_missing += u64::from(costs.cost.is_none());
            }
            _ => {}
        }
    }
    for fate in known.by_message.values().filter(|it| it.held.is_some()) {
        counts.held += 1;
        counts.resolved += u64::from(fate.charged.is_some());
    }
    counts
}

/// What was charged in all, by currency.
fn usage(log: &Log, known: &Charges<'_>) -> BTreeMap<String, Usage> {
    let mut sums: BTreeMap<String, Usage> = BTreeMap::new();
    for event in &log.events {
        if let Body::Charged(charged) = &event.body {
            let sum = sums.entry(charged.currency.to_string()).or_default();
            let segments = charged.settlement.segment_count;
            let last = known.by_message.get(&charged.settlement.message_id);
            let last = last.and_then(|charge| charge.assessed);
            let costs = last.map_or(&charged.assessment, |(last, _)| last);
            let (cost, missing) = (costs.converted_cost, costs.cost.is_none());
            sum.add(segments, charged.customer_price, cost, missing);
        }
    }
    sums
}
