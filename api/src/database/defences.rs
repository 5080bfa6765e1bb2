//! Whether what keeps the log as it is stands: asked at the start, which it ends where something is
//! down, and again and again after it, when it raises an alarm and stops nothing. Whoever took a
//! defence away must not be able to stop receipts and charges with it.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use eventstore::{
    StoreError,
    guard::{ALTERED, WINDOW},
    log::chain,
    postgres::{Database, Parameters, Statement},
    rights::{self, DIFFERING, Declared, ROLES},
};
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};
use tokio::time::{MissedTickBehavior, interval};
use tokio_postgres::Row;

use super::declared_by_us;

const UNDEFENDED: Statement = Statement::new(include_str!("undefended.sql"));

/// The schemas in which our roles may do what is declared and nothing else.
const SCHEMAS: [&str; 4] = ["eventlog", "dlr", "billing", "tollbook_guard"];

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Breach {
    /// What, as a part of a sentence.
    pub(super) fault: String,
    /// The statement that mends it.
    pub(super) remedy: String,
}

/// What there was at one look.
struct Look {
    window_is_open: bool,
    breaches: Vec<Breach>,
}

/// Everything that is down, what is worst first.
pub(super) async fn breaches(database: &Database) -> Result<Vec<Breach>, StoreError> {
    Ok(look(database).await?.breaches)
}

async fn look(database: &Database) -> Result<Look, StoreError> {
    let mut breaches = found(database, UNDEFENDED, &[]).await?;
    let window = database.query_one(WINDOW, &[]).await?;
    let window_is_open: bool = window.try_get("is_open").map_err(WINDOW.failed())?;
    if !window_is_open {
        breaches.extend(found(database, ALTERED, &[]).await?);
        // A version that declares other rights has migrated: they are compared by its own services.
        let ours = declared_by_us();
        let in_force = window.try_get("fingerprint");
        let in_force: Option<String> = in_force.map_err(WINDOW.failed())?;
        if in_force.as_ref() == Some(&rights::fingerprint(&ours)) {
            let declared = Declared::new(&ours);
            let [who, what, kinds, things] = declared.parameters();
            let (schemas, roles) = (SCHEMAS.as_slice(), ROLES.as_slice());
            let parameters: &Parameters<'_> = &[who, what, kinds, things, &schemas, &roles];
            breaches.extend(found(database, DIFFERING, parameters).await?);
        } else {
            tracing::warn!(event = "database.rights_of_another_version");
        }
    }
    Ok(Look {
        window_is_open,
        breaches,
    })
}

async fn found(
    database: &Database,
    statement: Statement,
    parameters: &Parameters<'_>,
) -> Result<Vec<Breach>, StoreError> {
    let rows = database.query(statement, parameters).await?;
    // What is asked may have been replaced, and what goes away while it is looked at has no name:
    // neither may end the process.
    let told = |row: &Row, column| {
        let told = row.try_get::<_, Option<String>>(column);
        let told = told.map_err(statement.failed())?;
        Ok(told.unwrap_or_else(|| "something went away meanwhile".to_owned()))
    };
    let breach = |row| {
        Ok(Breach {
            fault: told(row, "fault")?,
            remedy: told(row, "remedy")?,
        })
    };
    rows.iter().map(breach).collect()
}

/// What is shown of the last look.
#[derive(Debug, Clone, Default)]
pub struct DefenceGauges {
    breaches: Gauge,
    window: Gauge,
}

impl DefenceGauges {
    /// Shows them.
    pub fn register(&self, registry: &mut Registry) {
        let help = "defences of the log that are down";
        registry.register("log_defence_breaches", help, self.breaches.clone());
        let help = "1 while our tables may be changed";
        registry.register("log_change_window_open", help, self.window.clone());
    }
}

/// Looks every so often, for ever, and raises an alarm for what is down.
pub async fn watch(database: &Database, every: Duration, gauges: &DefenceGauges) -> Infallible {
    let mut ticks = interval(every.max(Duration::from_secs(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = BTreeMap::new();
    loop {
        ticks.tick().await;
        let breaches = match look(database).await {
            Ok(look) => {
                gauges.window.set(i64::from(look.window_is_open));
                look.breaches
            }
            Err(error) if error.is_passing() => {
                tracing::warn!(
                    event = "database.defences_not_looked_at",
                    error = chain(&error)
                );
                continue;
            }
            // Whoever takes away what is asked has taken away a defence.
            Err(error) => vec![Breach {
                fault: format!(
                    "the defences of the log cannot be looked at: {}",
                    chain(&error)
                ),
                remedy: "`tollbook migrate` as a superuser".to_owned(),
            }],
        };
        gauges
            .breaches
            .set(i64::try_from(breaches.len()).unwrap_or(i64::MAX));
        known = tell(&known, breaches);
    }
}

/// Tells what is down and was not, and what was down and is not any more.
fn tell(known: &BTreeMap<String, String>, breaches: Vec<Breach>) -> BTreeMap<String, String> {
    let now: BTreeMap<_, _> = breaches
        .into_iter()
        .map(|breach| (breach.fault, breach.remedy))
        .collect();
    for (fault, remedy) in &now {
        if !known.contains_key(fault) {
            tracing::error!(event = "database.defence_down", fault, remedy);
        }
    }
    for fault in known.keys() {
        if !now.contains_key(fault) {
            tracing::info!(event = "database.defence_up", fault);
        }
    }
    now
}
