//! How many tables are sent at a time: a table takes as long as its reader does, so nobody may have
//! many under way, and all together only so many.

use schema::TenantId;

use super::{
    problem::{Code, Problem},
    shares::{Part, Shares},
};

/// After how many seconds to ask again.
const AGAIN: u64 = 10;

/// Whose tables are under way.
#[derive(Debug)]
pub struct Exports {
    of_tenants: Shares<TenantId>,
    of_all: Shares<()>,
}

/// The right to send one table; given back by dropping it.
#[derive(Debug)]
pub struct Export {
    _of_tenant: Part,
    _of_all: Part,
}

impl Exports {
    /// So many tables of one tenant's callers at a time, and of all callers.
    #[must_use]
    pub fn new(of_tenant: usize, of_all: usize) -> Self {
        Self {
            of_tenants: Shares::new(of_tenant),
            of_all: Shares::new(of_all),
        }
    }

    /// One more for a caller of `tenant`.
    ///
    /// # Errors
    /// As many are under way as may be.
    pub fn begin(&self, tenant: TenantId) -> Result<Export, Problem> {
        let begun = || {
            Some(Export {
                _of_tenant: self.of_tenants.take(tenant)?,
                _of_all: self.of_all.take(())?,
            })
        };
        begun().ok_or_else(|| {
            Problem::new(Code::TooManyRequests)
                .because("too many tables are under way")
                .retry_after(AGAIN)
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn one_tenant_has_its_share_of_tables_and_all_have_theirs() {
        let exports = Exports::new(2, 3);
        let [one, other, third] = [1, 2, 3].map(|id| TenantId(Uuid::from_u128(id)));
        let first = exports.begin(one).expect("a place");
        let second = exports.begin(one).expect("a place");
        let refused = exports.begin(one).expect_err("too many");
        assert_eq!(refused.code(), Code::TooManyRequests);
        let others = exports.begin(other).expect("a place");
        assert!(exports.begin(third).is_err(), "all together have three");
        drop(second);
        assert!(exports.begin(third).is_ok());
        drop((first, others));
    }
}
