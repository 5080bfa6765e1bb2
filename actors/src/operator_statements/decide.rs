//! A carrier's statement is compared once. The same statement under the same id adds nothing, and
//! another one under an id that is taken is refused, whoever brings it.

use eventstore::{EventData, RecordedEvent};
use schema::{
    Currency, Day, Event, EventId, OperatorId,
    event::{OperatorStatementCompared, StatementContent},
};

use crate::runtime::{
    decider::{Command, Decider, Decision, EventPlace},
    origin::Origin,
};

/// What is known of a statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    compared: Option<Identity>,
}

/// What makes a statement the same one: its file, and what it was said to be about.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    operator: OperatorId,
    days: (Day, Day),
    currency: Currency,
    content: StatementContent,
    sha256: String,
}

/// Let it be known what comparing a statement showed.
#[derive(Debug, Clone)]
pub struct RecordComparison {
    /// What it showed.
    pub compared: OperatorStatementCompared,
    /// The request of whoever brought the statement.
    pub origin: Origin,
}

/// Why a comparison is not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another statement was compared under this id.
    #[error("the id belongs to another statement")]
    AnotherStatement,
}

/// Decides for the streams of category `statement`.
#[derive(Debug)]
pub struct StatementDecider;

impl Identity {
    fn of(compared: &OperatorStatementCompared) -> Self {
        Self {
            operator: compared.operator_id,
            days: (compared.from, compared.to),
            currency: compared.currency,
            content: compared.content,
            sha256: compared.sha256.clone(),
        }
    }
}

impl Decider for StatementDecider {
    type State = Statement;
    type Command = RecordComparison;
    type Refusal = Refusal;

    fn fold(state: &mut Statement, event: &RecordedEvent) {
        if let Event::OperatorStatementCompared(compared) = &event.data.event {
            state.compared = Some(Identity::of(compared));
        }
    }

    fn decide(state: &Statement, command: &RecordComparison) -> Result<Decision, Refusal> {
        match &state.compared {
            None => Ok(Decision::record([Event::OperatorStatementCompared(
                command.compared.clone(),
            )])),
            Some(known) if *known == Identity::of(&command.compared) => Ok(Decision::NOTHING),
            Some(_) => Err(Refusal::AnotherStatement),
        }
    }

    fn is_finished(state: &Statement) -> bool {
        state.compared.is_some()
    }
}

impl Command for RecordComparison {
    fn record(&self, _: EventPlace, event: Event) -> EventData {
        let id = EventId::of_request(
            "operator-statement",
            self.compared.statement_id.0,
            self.origin.request,
        );
        self.origin.record(id, event)
    }
}

#[cfg(test)]
mod tests {
    use schema::{StatementId, StreamId};
    use uuid::Uuid;

    use super::*;
    use crate::runtime::decider::testing::{self, Given};

    fn id() -> StatementId {
        StatementId(Uuid::from_u128(7))
    }

    fn comparison(request: u128, sha256: &str) -> RecordComparison {
        let day = |text| Day::parse(text).expect("a day");
        RecordComparison {
            compared: OperatorStatementCompared {
                statement_id: id(),
                operator_id: OperatorId(Uuid::from_u128(3)),
                from: day("2026-03-01"),
                to: day("2026-03-31"),
                currency: Currency::parse("EUR").expect("exists"),
                content: StatementContent::Messages,
                sha256: sha256.to_owned(),
                lines: 2,
                sums: Vec::new(),
                differences: Vec::new(),
            },
            origin: Origin::of_request(request),
        }
    }

    fn given(before: &[RecordComparison]) -> Given<StatementDecider> {
        testing::given(StreamId::statement(id()), before)
    }

    #[test]
    fn a_comparison_is_recorded_with_all_it_showed() {
        let command = comparison(1, "aa");
        let events = given(&[]).when(&command);
        assert_eq!(
            events,
            [Event::OperatorStatementCompared(command.compared.clone())]
        );
    }

    #[test]
    fn the_same_statement_again_adds_nothing_whatever_it_shows_by_then() {
        let mut later = comparison(2, "aa");
        later.compared.lines = 3;
        assert_eq!(given(&[comparison(1, "aa")]).when(&later), []);
    }

    #[test]
    fn another_statement_under_a_taken_id_is_refused() {
        let known = given(&[comparison(1, "aa")]);
        assert_eq!(
            known.refuses(&comparison(2, "bb")),
            Refusal::AnotherStatement
        );
        let mut others = comparison(2, "aa");
        others.compared.operator_id = OperatorId(Uuid::from_u128(4));
        assert_eq!(known.refuses(&others), Refusal::AnotherStatement);
        let mut longer = comparison(2, "aa");
        longer.compared.to = Day::parse("2026-04-01").expect("a day");
        assert_eq!(known.refuses(&longer), Refusal::AnotherStatement);
    }
}
