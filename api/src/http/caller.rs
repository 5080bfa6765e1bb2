//! Who calls, as handlers get them; and what somebody hears whom we do not know.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{
    openapi::{Documented, Operation},
    problem::{Code, Problem},
};
use crate::identity::{Caller, Stranger};

/// The caller of a request, for handlers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CallerRef(pub Arc<Caller>);

impl std::ops::Deref for CallerRef {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CallerRef {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        // A route without a guard is a mistake of ours.
        caller.ok_or(Problem::new(Code::Internal))
    }
}

impl Documented for CallerRef {
    fn document(_: &mut Operation) {}
}

impl From<Stranger> for Problem {
    fn from(stranger: Stranger) -> Self {
        match stranger {
            Stranger::NoCredentials => Self::new(Code::NoCredentials),
            Stranger::Token(_) => Self::new(Code::InvalidToken),
            Stranger::OtherTenant => Self::new(Code::TenantMismatch).at("X-Tenant-Id"),
            Stranger::OtherAccount => Self::new(Code::AccountMismatch).at("X-Account-Id"),
        }
    }
}
