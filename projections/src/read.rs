//! How tables are asked: under a scope, page by page, and not before they show what was written.

mod page;
mod reader;
mod scope;

pub use self::{
    page::Page,
    reader::{Cells, Parameters, ReadError, Reader},
    scope::Scope,
};
