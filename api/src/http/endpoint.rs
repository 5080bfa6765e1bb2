//! An endpoint: where it is, who may call it, what it does. The document follows from that.
//!
//! What a handler takes and gives is its type, and each of those types documents itself, so the
//! document cannot say something else than the code does. Only the refusals that come from
//! within a handler are listed by hand, with [`Endpoint::may_refuse`].

use axum::{
    handler::Handler,
    http::Method,
    routing::{MethodFilter, MethodRouter, on},
};

use super::{
    openapi::{Documented, Operation, Tag},
    problem::Code,
};
use crate::identity::Right;

/// One method at one path.
#[derive(Debug)]
pub struct Endpoint<S> {
    pub(super) operation: Operation,
    pub(super) handler: MethodRouter<S>,
}

/// A handler whose arguments and answer document themselves. `A` is the tuple of the arguments.
pub trait DocumentedHandler<A> {
    /// Adds what the handler takes and gives.
    fn document(operation: &mut Operation);
}

macro_rules! documented_handlers {
    ($(($($argument:ident),*))+) => {$(
        impl<F, W, R, $($argument),*> DocumentedHandler<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> W,
            W: Future<Output = R>,
            R: Documented,
            $($argument: Documented,)*
        {
            fn document(operation: &mut Operation) {
                $($argument::document(operation);)*
                R::document(operation);
            }
        }
    )+};
}

documented_handlers! {
    ()
    (A1)
    (A1, A2)
    (A1, A2, A3)
    (A1, A2, A3, A4)
    (A1, A2, A3, A4, A5)
    (A1, A2, A3, A4, A5, A6)
}

impl<S: Clone + Send + Sync + 'static> Endpoint<S> {
    /// `handler` answers `method` at `path`; names in braces are the fields of its
    /// [`PathParams`](super::params::PathParams).
    pub fn new<H, T, A>(method: Method, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, S> + DocumentedHandler<A>,
        T: 'static,
    {
        // Unwrap safety: endpoints are written with the methods of HTTP itself.
        let filter = MethodFilter::try_from(method.clone()).expect("a standard method");
        let mut operation = Operation::new(method, path);
        H::document(&mut operation);
        Self {
            operation,
            handler: on(filter, handler),
        }
    }

    /// What it takes, gives and refuses, for the `OpenAPI` document.
    #[must_use]
    pub const fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Its name for generated clients, and one line that says what it does.
    #[must_use]
    pub fn named(mut self, id: &'static str, summary: &'static str) -> Self {
        self.operation.name(id, summary);
        self
    }

    /// What it belongs to.
    #[must_use]
    pub const fn tagged(mut self, tag: Tag) -> Self {
        self.operation.tag(tag);
        self
    }

    /// Customers may call it with an API key.
    #[must_use]
    pub const fn for_keys(mut self) -> Self {
        self.operation.answers_keys();
        self
    }

    /// The right that a caller must have; without one, being known is enough.
    #[must_use]
    pub fn needs(mut self, right: Right) -> Self {
        self.operation.needs(right);
        self
    }

    /// The problems that the handler itself may answer with.
    #[must_use]
    pub fn may_refuse(mut self, codes: &[Code]) -> Self {
        self.operation.may_refuse(codes);
        self
    }
}
