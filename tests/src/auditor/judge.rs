//! Judges facts as they come in; knows nothing of where they come from.

use uuid::Uuid;

use super::{
    Counts, Fault, Invariant, Report,
    facts::{Body, Log},
    findings::Findings,
    log_checks, orphan_checks,
    private::{self, Leak},
    published_checks::{Due, Subject},
    receipt_checks,
    table_checks::{
        self, OrphanRow, ReceiptRow, ResolutionRow, Shown, StatusRow, orphan_row_holds,
        receipt_row_holds, resolution_row_holds,
    },
};
use crate::traffic::Expected;

/// One audit.
pub(super) struct Judge<'a> {
    log: &'a Log,
    expected: &'a Expected,
    findings: Findings,
    counts: Counts,
    receipts: Shown,
    orphans: Shown,
    resolutions: Shown,
}

impl<'a> Judge<'a> {
    /// Judges the log by itself and against what was sent.
    pub(super) fn new(log: &'a Log, expected: &'a Expected, projections: &[&str]) -> Self {
        let mut findings = Findings::default();
        log_checks::check(log, projections, &mut findings);
        receipt_checks::check(log, expected, &mut findings);
        orphan_checks::check(log, expected, &mut findings);
        let (receipts, orphans) = (
            Invariant::ReceiptRowsMatchLog,
            Invariant::OrphanRowsMatchLog,
        );
        Self {
            log,
            expected,
            findings,
            counts: count(log),
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
        }
    }
}

fn count(log: &Log) -> Counts {
    let mut counts = Counts::default();
    for event in &log.events {
        counts.events += 1;
        counts.receipts += u64::from(event.message_receipt().is_some());
        match event.body {
            Body::Settled { .. } => counts.settled += 1,
            Body::Late { .. } => counts.late += 1,
            Body::Orphaned { .. } => counts.orphaned += 1,
            Body::Matched(_) => counts.healed += 1,
            Body::Recorded { .. } | Body::Elsewhere | Body::Unreadable => {}
        }
    }
    counts
}
