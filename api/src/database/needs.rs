//! What whoever works with the database needs of it (CONTRACTS 6).

/// A right that the service cannot do without.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    /// `table`, `column` or `function`.
    pub kind: &'static str,
    /// With its schema; a column also with its table.
    pub name: &'static str,
    /// What the role must be allowed to do with it.
    pub right: &'static str,
}

/// A right on a table.
#[must_use]
pub const fn table(name: &'static str, right: &'static str) -> Need {
    Need {
        kind: "table",
        name,
        right,
    }
}

/// A right on one column of a table.
#[must_use]
pub const fn column(name: &'static str, right: &'static str) -> Need {
    Need {
        kind: "column",
        name,
        right,
    }
}

/// The right to call a function.
#[must_use]
pub const fn function(name: &'static str) -> Need {
    Need {
        kind: "function",
        name,
        right: "EXECUTE",
    }
}

/// What somebody needs, and the role that has it.
#[derive(Debug, Clone, Copy)]
pub struct Needs {
    /// The role made for it.
    pub role: &'static str,
    /// What it cannot do without, for each thing it does.
    pub all: &'static [&'static [Need]],
}

/// Appending to the log, reading it, following it and sealing what is in it.
pub const LOG: &[Need] = &[
    function("eventlog.append"),
    function("eventlog.take_checkpoint"),
    function("eventlog.advance_checkpoint"),
    function("eventlog.end_of_log"),
    function("eventlog.progress_of"),
    function("eventlog.enrol_tenant"),
    function("eventlog.recorded_at"),
    table("eventlog.event", "SELECT"),
    table("eventlog.log", "SELECT"),
    table("eventlog.head", "SELECT"),
    table("eventlog.projection", "SELECT"),
    table("eventlog.progress", "SELECT"),
    table("eventlog.checkpoint", "SELECT"),
    table("eventlog.read_permission", "SELECT"),
    table("eventlog.tenant", "SELECT"),
    table("eventlog.data_key", "SELECT"),
    table("eventlog.destroyed_key", "SELECT"),
    table("eventlog.master_key", "SELECT"),
];

/// Comparing what was settled with what was charged.
pub const AUDITOR: Needs = Needs {
    role: "auditor",
    all: &[AUDITOR_NEEDS],
};

const AUDITOR_NEEDS: &[Need] = &[
    table("eventlog.head", "SELECT"),
    table("eventlog.event", "SELECT"),
    table("eventlog.tenant", "SELECT"),
];
