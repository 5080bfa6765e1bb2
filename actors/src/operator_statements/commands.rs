//! What the edge may ask about carriers' statements.

use ractor::{ActorRef, SpawnErr};
use schema::{StreamId, event::OperatorStatementCompared};

use super::decide::{RecordComparison, Refusal, StatementDecider};
use crate::runtime::{
    commands::{CommandError, Dispatcher, Written},
    log_handle::LogHandle,
    origin::Origin,
};

/// See the module. Cheap to clone.
#[derive(Clone, Default)]
pub struct Commands {
    statements: Dispatcher<StatementDecider>,
}

impl Commands {
    /// Starts the actors that decide, below `root`.
    pub(crate) async fn open(
        &self,
        log: &LogHandle,
        live_max: usize,
        root: &ActorRef<()>,
    ) -> Result<(), SpawnErr> {
        self.statements.open(log, live_max, root).await
    }

    /// Records what comparing a statement showed, once; of two who compare the same at once, what
    /// the first one found stays.
    ///
    /// # Errors
    /// The id belongs to another statement, or a fault.
    pub async fn record(
        &self,
        origin: Origin,
        compared: OperatorStatementCompared,
    ) -> Result<Written, CommandError<Refusal>> {
        let stream = StreamId::statement(compared.statement_id);
        let command = RecordComparison { compared, origin };
        self.statements.dispatch(stream, command).await
    }
}
