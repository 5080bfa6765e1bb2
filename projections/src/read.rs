//! How tables are asked: under a scope, page by page, and not before they show what was written.

mod page;
mod reader;
mod scope;

pub(crate) use self::reader::{Cells, Parameters};
pub use self::{
    page::Page,
    reader::{ReadError, Reader},
    scope::Scope,
};
