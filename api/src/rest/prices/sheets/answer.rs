//! What is answered about sheets.

use std::borrow::Cow;

use actors::prices::{
    decide::{
        sheet::{End, LineRefusal as Refused, Reason, Step},
        timeline::Refusal,
    },
    sheets::{Applied, Planned},
};
use schema::{SheetId, Timestamp, event::SheetFacts, versioned::Sheeted};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::http::problem::{LineFault, LineRefusal, REFUSALS_MAX};

/// What became of a sheet, or would.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SheetAnswer {
    /// The sheet.
    sheet_id: SheetId,
    /// Whether it is applied. If not, this only says what would be done.
    applied: bool,
    /// SHA-256 over its bytes, in hexadecimal digits.
    content: String,
    /// How many lines it has beside its header.
    lines: u32,
    /// How many versions were opened.
    opened: u32,
    /// How many versions got an earlier end.
    closed: u32,
    /// How many lines say what was in effect already.
    unchanged: u32,
    /// How many times a line is refused; of a sheet that is applied, none is.
    refused: u32,
    /// Who applied it; null if nobody did.
    applied_by: Option<String>,
    /// When that was recorded; null if it was not.
    applied_at: Option<Timestamp>,
    /// What would be done, line by line, unless the sheet is applied.
    changes: Vec<SheetChange>,
    /// Which lines are refused and why, the first 100.
    refusals: Vec<LineRefusal>,
}

/// What a line comes to; neither opened nor closed: it was in effect already.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SheetChange {
    /// Where it stands in the file; the header is on line 1.
    line: u32,
    /// The version that would be opened.
    opened: Option<OpenedVersion>,
    /// The version that would get an end.
    closed: Option<ClosedVersion>,
}

/// A version that would be opened.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OpenedVersion {
    /// Its id; it gets the same when the sheet is applied.
    version_id: Uuid,
    /// The first instant at which it is in effect.
    effective_from: Timestamp,
    /// The first instant at which it is not any more; null: open.
    effective_to: Option<Timestamp>,
}

/// A version that would get an end.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ClosedVersion {
    /// Its id.
    version_id: Uuid,
    /// The first instant at which it is not in effect any more.
    effective_to: Timestamp,
}

impl SheetAnswer {
    /// About a sheet that is applied.
    pub(super) fn applied(applied: Applied) -> Self {
        Self {
            applied: true,
            applied_by: Some(applied.by),
            applied_at: Some(applied.at),
            ..Self::of(applied.facts)
        }
    }

    /// About one that is not, of so many lines.
    pub(super) fn planned<K: Sheeted>(
        planned: Planned<K>,
        lines: u32,
        mut refusals: Vec<LineRefusal>,
    ) -> Self {
        let refused = u32::try_from(refusals.len()).unwrap_or(u32::MAX);
        refusals.truncate(REFUSALS_MAX);
        Self {
            lines,
            refused,
            changes: planned.steps.into_iter().map(SheetChange::of).collect(),
            refusals,
            ..Self::of(planned.facts)
        }
    }

    fn of(facts: SheetFacts) -> Self {
        Self {
            sheet_id: facts.sheet_id,
            applied: false,
            content: facts.content,
            lines: facts.lines,
            opened: facts.opened,
            closed: facts.closed,
            unchanged: facts.unchanged,
            refused: 0,
            applied_by: None,
            applied_at: None,
            changes: Vec::new(),
            refusals: Vec::new(),
        }
    }
}

impl SheetChange {
    fn of<K: Sheeted>(step: Step<K>) -> Self {
        Self {
            line: step.line,
            opened: step.opened.map(|opening| OpenedVersion {
                version_id: opening.id.into(),
                effective_from: opening.period.effective_from,
                effective_to: opening.period.effective_to,
            }),
            closed: step.closed.map(|closing| ClosedVersion {
                version_id: closing.id.into(),
                effective_to: closing.effective_to,
            }),
        }
    }
}

/// What a refusal by the rules of versions is called.
pub(super) fn refusal(refused: &Refused) -> LineRefusal {
    let column = match refused.end {
        End::From => "effectiveFrom",
        End::To => "effectiveTo",
    };
    let (reason, detail) = reason(refused.reason);
    LineRefusal {
        line: refused.line,
        column: Some(column),
        reason,
        detail,
    }
}

fn reason(reason: Reason) -> (LineFault, Cow<'static, str>) {
    match reason {
        Reason::Line(other) => {
            let detail = format!("overlaps line {other}, which is for the same");
            (LineFault::LinesOverlap, detail.into())
        }
        Reason::Rule(Refusal::Overlap { with }) => {
            let detail = format!("overlaps version {with}, which begins later");
            (LineFault::PeriodOverlaps, detail.into())
        }
        Reason::Rule(Refusal::Reversed) => (
            LineFault::PeriodReversed,
            "must be after effectiveFrom".into(),
        ),
        Reason::Rule(Refusal::WouldReprice) => {
            let detail = "messages of the period were charged by another price";
            (LineFault::WouldReprice, detail.into())
        }
        Reason::Rule(_) => {
            let detail = "what was in effect at a time gone by cannot be changed";
            (LineFault::PeriodInPast, detail.into())
        }
    }
}

/// How many refusals there are and how many are told.
pub(super) fn told(refused: usize) -> String {
    if refused > REFUSALS_MAX {
        format!(
            "{refused} refusals, of which the first {REFUSALS_MAX} are told; nothing is applied"
        )
    } else {
        format!("{refused} refusals; nothing is applied")
    }
}
