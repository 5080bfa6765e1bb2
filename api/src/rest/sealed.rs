//! Opens what is sealed, for somebody who may see it. What is opened goes into the answer and nowhere
//! else: neither problems nor logs ever hold it.

use actors::runtime::decider::EventPlace;
use eventstore::seal;
use schema::{Personal, SealedValue};
use serde::{Serialize as _, Serializer};

use super::{fault, state::AppState};
use crate::http::problem::Problem;

/// What `sealed` says, which was sealed as `field` of the event at `place`; nothing once its key is
/// destroyed.
///
/// # Errors
/// Its key cannot be had, or it was changed or moved.
pub(super) async fn open(
    shared: &AppState,
    place: EventPlace,
    field: &str,
    sealed: &SealedValue,
) -> Result<Option<Personal>, Problem> {
    let id = seal::key_of(sealed).map_err(|error| fault::broken(&error))?;
    let keys = shared.keyring.by_id(&[id]).await;
    let keys = keys.map_err(|error| fault::keyless(&error))?;
    let Some(key) = keys.get(&id) else {
        return Ok(None);
    };
    let key = key
        .as_ref()
        .map_err(|&locked| fault::keyless(&locked.into()))?;
    let opened = key.open(&place.of_field(field), sealed);
    opened.map(Some).map_err(|error| fault::broken(&error))
}

/// Here personal data leaves us, to somebody who may see it.
#[expect(
    clippy::ref_option,
    reason = "serde calls it with a reference to the field"
)]
pub(super) fn exposed<S: Serializer>(
    data: &Option<Personal>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    data.as_ref().map(Personal::expose).serialize(serializer)
}
