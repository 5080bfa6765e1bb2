//! Makes the streams what [`super::plan`] says, and their consumers; doing it again changes nothing.

use async_nats::jetstream::{
    Context,
    consumer::{PullConsumer, pull},
    context::{CreateStreamError, GetStreamError, GetStreamErrorKind},
    stream::{Config, ConsumerError},
};

use super::{is_missing, plan::StreamPlan};

/// What was done to a stream or a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It was not there.
    Created,
    /// It was different.
    Updated,
    /// It was right.
    Unchanged,
}

impl Done {
    /// For people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

/// A stream as a deployment wants it.
#[derive(Debug, Clone)]
pub struct WantedStream<'a> {
    /// The stream as CONTRACTS 2 has it.
    pub plan: StreamPlan,
    /// Its name in this deployment.
    pub name: &'a str,
    /// Its consumers that are ours: name, and the most messages delivered and not acknowledged.
    pub consumers: Vec<(&'static str, u32)>,
}

/// How large each stream is in a deployment.
#[derive(Debug, Clone, Copy)]
pub struct StreamSize {
    /// How many copies there are.
    pub replicas: usize,
    /// The most bytes. A stream that is full refuses what comes next.
    pub bytes_max: i64,
}

/// Why something is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// A stream could not be looked at.
    #[error("looking at stream {name}, which the user tollbook-admin may")]
    Look {
        /// The name it has, or was to have.
        name: String,
        /// What the server says.
        source: GetStreamError,
    },
    /// A stream could not be made or changed.
    #[error("making stream {name}")]
    Make {
        /// The name it has, or was to have.
        name: String,
        /// What the server says.
        source: CreateStreamError,
    },
    /// A consumer could not be looked at, made or changed.
    #[error("making consumer {name}")]
    Consumer {
        /// The name it has, or was to have.
        name: String,
        /// What the server says.
        source: ConsumerError,
    },
    /// NATS cannot change this of something that exists.
    #[error(
        "{thing} exists with {field} {actual} instead of {wanted}, which nats cannot change; \
         move its messages elsewhere, delete it and run this again"
    )]
    CannotChange {
        /// The stream or consumer.
        thing: String,
        /// The setting.
        field: &'static str,
        /// The value it has.
        actual: String,
        /// The value it should have.
        wanted: String,
    },
}

/// Makes everything, telling `say` about each stream and consumer.
///
/// # Errors
/// The first thing that is not as it should be and cannot be made so.
pub async fn run(
    jetstream: &Context,
    streams: &[WantedStream<'_>],
    size: StreamSize,
    mut say: impl FnMut(Done, &str),
) -> Result<(), ProvisionError> {
    for wanted in streams {
        let name = wanted.name;
        let done = make_stream(jetstream, wanted, size).await?;
        say(done, &format!("stream {name}"));
        for &(consumer, pending) in &wanted.consumers {
            let config = wanted.plan.consumer(consumer, pending);
            let done = make_consumer(jetstream, name, consumer, config).await?;
            say(done, &format!("consumer {consumer} of {name}"));
        }
    }
    Ok(())
}

async fn make_stream(
    jetstream: &Context,
    wanted: &WantedStream<'_>,
    size: StreamSize,
) -> Result<Done, ProvisionError> {
    let WantedStream { plan, name, .. } = *wanted;
    let over = |base| plan.over(base, name, size.replicas, size.bytes_max);
    let failed = |source| ProvisionError::Make {
        name: name.to_owned(),
        source,
    };
    match jetstream.get_stream(name).await {
        Err(error) if is_no_stream(&error) => {
            jetstream
                .create_stream(over(Config::default()))
                .await
                .map_err(failed)?;
            Ok(Done::Created)
        }
        Err(source) => Err(ProvisionError::Look {
            name: name.to_owned(),
            source,
        }),
        Ok(stream) => {
            let actual = stream.cached_info().config.clone();
            let wanted = over(actual.clone());
            if wanted == actual {
                return Ok(Done::Unchanged);
            }
            possible(&actual, &wanted)?;
            jetstream.update_stream(wanted).await.map_err(failed)?;
            Ok(Done::Updated)
        }
    }
}

fn is_no_stream(error: &GetStreamError) -> bool {
    match error.kind() {
        GetStreamErrorKind::JetStream(error) => {
            error.error_code() == async_nats::jetstream::ErrorCode::STREAM_NOT_FOUND
        }
        _ => false,
    }
}

/// What NATS cannot change of a stream.
fn possible(actual: &Config, wanted: &Config) -> Result<(), ProvisionError> {
    let thing = format!("stream {}", actual.name);
    cannot_change(&thing, "retention", &actual.retention, &wanted.retention)?;
    cannot_change(&thing, "storage", &actual.storage, &wanted.storage)
}

fn cannot_change<T: PartialEq + std::fmt::Debug>(
    thing: &str,
    field: &'static str,
    actual: &T,
    wanted: &T,
) -> Result<(), ProvisionError> {
    if actual == wanted {
        return Ok(());
    }
    Err(ProvisionError::CannotChange {
        thing: thing.to_owned(),
        field,
        actual: format!("{actual:?}").to_lowercase(),
        wanted: format!("{wanted:?}").to_lowercase(),
    })
}

async fn make_consumer(
    jetstream: &Context,
    stream: &str,
    name: &str,
    mut wanted: pull::Config,
) -> Result<Done, ProvisionError> {
    let failed = |source| ProvisionError::Consumer {
        name: name.to_owned(),
        source,
    };
    let found: Result<PullConsumer, _> = jetstream.get_consumer_from_stream(name, stream).await;
    let done = match found {
        Err(error) if is_missing(&error) => Done::Created,
        Err(error) => return Err(failed(error)),
        Ok(consumer) => {
            let actual = &consumer.cached_info().config;
            let thing = format!("consumer {name}");
            let policy = &actual.deliver_policy;
            cannot_change(&thing, "deliver policy", policy, &wanted.deliver_policy)?;
            cannot_change(&thing, "ack policy", &actual.ack_policy, &wanted.ack_policy)?;
            let same = actual.ack_wait == wanted.ack_wait
                && actual.max_ack_pending == wanted.max_ack_pending
                && actual.filter_subject == wanted.filter_subject
                && actual.max_deliver == wanted.max_deliver;
            // NATS cannot change it, and fewer will do.
            wanted.max_waiting = actual.max_waiting;
            if same {
                return Ok(Done::Unchanged);
            }
            Done::Updated
        }
    };
    jetstream
        .create_consumer_on_stream(wanted, stream)
        .await
        .map_err(failed)?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use async_nats::jetstream::stream::{RetentionPolicy, StorageType};

    use super::*;
    use crate::nats::plan::SMS_DLR;

    #[test]
    fn what_cannot_be_changed_is_named_with_both_values() {
        let wanted = SMS_DLR.over(Config::default(), "SMS_DLR", 1, 9);
        let actual = Config {
            retention: RetentionPolicy::WorkQueue,
            ..wanted.clone()
        };
        let error = possible(&actual, &wanted)
            .expect_err("impossible")
            .to_string();
        assert!(
            error.starts_with("stream SMS_DLR exists with retention workqueue"),
            "{error}"
        );
        let actual = Config {
            storage: StorageType::Memory,
            ..wanted.clone()
        };
        assert!(possible(&actual, &wanted).is_err());
        let actual = Config {
            num_replicas: 3,
            max_bytes: 7,
            ..wanted.clone()
        };
        assert!(possible(&actual, &wanted).is_ok());
    }

    #[test]
    fn what_the_plan_does_not_say_stays() {
        let actual = Config {
            max_consumers: 7,
            ..Config::default()
        };
        let wanted = SMS_DLR.over(actual, "SMS_DLR", 1, 9);
        assert_eq!((wanted.max_consumers, wanted.max_bytes), (7, 9));
    }
}
