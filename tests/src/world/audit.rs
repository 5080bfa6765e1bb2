//! What the auditor says of a world.

use super::{Fault, PROJECTIONS, World, billing_projections};
use crate::{
    auditor::{self, Report, Sources},
    traffic::Expected,
};

impl World {
    /// Compares log, projections and published messages with what was sent.
    ///
    /// # Errors
    /// A server cannot be read.
    pub async fn audit(&self, expected: &Expected) -> Result<Report, Fault> {
        self.look(expected, &PROJECTIONS, false).await
    }

    /// The same where `tollbook billing` was at work: what is settled must be charged or wait.
    ///
    /// # Errors
    /// A server cannot be read.
    pub async fn audit_with_billing(&self, expected: &Expected) -> Result<Report, Fault> {
        let all = [&PROJECTIONS[..], &billing_projections()].concat();
        self.look(expected, &all, true).await
    }

    /// The same where `tollbook billing` alone was at work.
    ///
    /// # Errors
    /// A server cannot be read.
    pub async fn audit_billing(&self, expected: &Expected) -> Result<Report, Fault> {
        self.look(expected, &billing_projections(), true).await
    }

    async fn look(
        &self,
        expected: &Expected,
        projections: &[&str],
        billing: bool,
    ) -> Result<Report, Fault> {
        let observer = self.jetstream("observer").await?;
        let database = self.admin().await?;
        let sources = Sources {
            database: &database,
            jetstream: Some(&observer),
            projections,
            billing,
        };
        Ok(auditor::audit(&sources, expected).await?)
    }
}
