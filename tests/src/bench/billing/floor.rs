//! The floor: a bare loop that charges what is announced, without actors, log and projections.
//!
//! Check, look the price up in a map, insert a row per message, a batch per transaction. It assumes
//! that prices never change, has no hour's usage, and says nothing of a message announced twice with
//! other content. How batches come and go, see [`bare_loop`].

use std::sync::Arc;

use async_nats::jetstream::{AckKind, Message};
use async_trait::async_trait;
use eventstore::postgres::{Database, Statement};
use schema::{ReceivedSettlement, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use super::stage::Stage;
use crate::{
    bench::{
        bare_loop::{self, Work},
        connect,
    },
    traffic::{
        Agreement,
        agreement::{Comes, Outcome, Settled},
    },
    world::Fault,
};

const INSERT: Statement = Statement::new(include_str!("floor_insert.sql"));

/// What the loop works with.
#[derive(Clone)]
struct Tools {
    database: Database,
    agreement: Arc<Agreement>,
}

/// The rows of a batch, column by column.
#[derive(Default)]
struct Rows {
    message: Vec<Uuid>,
    tenant: Vec<Uuid>,
    account: Vec<Uuid>,
    operator: Vec<Uuid>,
    charged_at: Vec<OffsetDateTime>,
    segments: Vec<i16>,
    currency: Vec<&'static str>,
    direction: Vec<&'static str>,
    status: Vec<&'static str>,
    price: Vec<i64>,
    cost: Vec<i64>,
}

/// Makes the table of the floor.
pub(super) async fn lay(stage: &Stage) -> Result<(), Fault> {
    let admin = stage.world.admin().await?;
    Ok(admin.batch_execute(include_str!("floor_table.sql")).await?)
}

/// Charges until dropped.
pub(super) async fn run(stage: &Stage) -> Result<(), Fault> {
    let tools = Tools {
        database: connect::database(&stage.world, "postgres")?,
        agreement: Arc::clone(&stage.agreement),
    };
    bare_loop::run(tools, connect::settlements(&stage.world).await?).await
}

#[async_trait]
impl Work for Tools {
    type Prepared = Rows;

    async fn prepare(&self, messages: Vec<Message>) -> Result<(Rows, Vec<Message>), Fault> {
        let (mut rows, mut good) = (Rows::default(), Vec::with_capacity(messages.len()));
        for message in messages {
            let arrived = Timestamp::from_datetime(message.info()?.published);
            let Ok(received) = ReceivedSettlement::parse(&message.payload, arrived) else {
                message.ack_with(AckKind::Term).await?;
                continue;
            };
            rows.push(&received, &self.agreement)?;
            good.push(message);
        }
        Ok((rows, good))
    }

    async fn write(&self, rows: Rows) -> Result<(), Fault> {
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 11] = [
            &rows.message,
            &rows.tenant,
            &rows.account,
            &rows.operator,
            &rows.charged_at,
            &rows.segments,
            &rows.currency,
            &rows.direction,
            &rows.status,
            &rows.price,
            &rows.cost,
        ];
        self.database.query(INSERT, &parameters).await?;
        Ok(())
    }
}

impl Rows {
    fn push(&mut self, received: &ReceivedSettlement, agreement: &Agreement) -> Result<(), Fault> {
        let settlement = &received.settlement;
        let settled = Settled {
            message: settlement.message_id,
            tenant: received.tenant,
            account: received.account,
            operator: settlement.operator_id,
            segments: settlement.segment_count,
            status: settlement.dlr_status,
            charged_at: settlement.charged_at,
            received_at: settlement.received_at,
            tier: None,
            currency: None,
        };
        let Outcome::Charged(charge) = agreement.outcome(&settled, Comes::First) else {
            return Err("the traffic holds a settlement without a price".into());
        };
        self.message.push(settled.message.0);
        self.tenant.push(settled.tenant.0);
        self.account.push(settled.account.0);
        self.operator.push(settled.operator.0);
        self.charged_at.push(settled.charged_at.datetime());
        self.segments.push(settled.segments);
        self.currency.push(charge.currency);
        self.direction.push(settlement.direction.as_str());
        self.status.push(settled.status.as_str());
        self.price.push(i64::try_from(charge.price.0)?);
        self.cost.push(i64::try_from(charge.cost.0)?);
        Ok(())
    }
}
