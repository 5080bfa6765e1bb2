//! The edge of `tollbook billing`: from a socket to a handler and back.
//!
//! A request passes, in this order: [`server`] (connection, TLS, slow clients), [`observe`] (who
//! calls, how often, id, trace, panic, log line, [`metrics`]), [`guard`] (with which right, for how long), the
//! extractors of its handler ([`body`], [`params`], [`headers`]), the handler. Whatever goes wrong
//! on the way is a [`problem`]. Handlers are written in `rest`; [`endpoint`] says how, and
//! [`openapi`] describes them to callers. Nothing here knows what billing is.

pub mod accept;
pub mod answer;
pub mod body;
pub mod caller;
pub mod csv;
pub mod csv_body;
pub mod edge;
pub mod endpoint;
pub mod exports;
mod guard;
pub mod headers;
pub mod limits;
pub mod lines;
pub mod metrics;
mod observe;
pub mod openapi;
pub mod params;
pub mod problem;
mod reading;
pub mod request_id;
pub mod router;
pub mod server;
pub mod shares;
pub mod tls;
pub mod upload;

#[cfg(test)]
mod tests;
