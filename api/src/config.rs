//! Configuration: command line, then environment, then file, then default.
//!
//! A mistake stops the start with one line that names the key, before anything connects. The
//! line never repeats a value, which may be a secret.

pub mod secret;
pub mod values;

use std::{
    collections::BTreeSet,
    error::Error as _,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use clap::{
    Arg, ArgMatches, Command, CommandFactory, FromArgMatches,
    error::{ContextKind, ContextValue, ErrorKind},
    parser::ValueSource,
};
use toml::{Table, Value};

pub use eventstore::Secret;
pub use secret::SecretSource;

/// What is wrong with the configuration, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A setting's value cannot be used.
    #[error("{key}: {problem}")]
    Setting {
        /// The variable.
        key: String,
        /// What it must be, or what happened.
        problem: String,
    },
    /// The configuration file cannot be read or is not TOML.
    #[error("TOLLBOOK_CONFIG: {path}: {problem}", path = path.display())]
    File {
        /// The file as it was named.
        path: PathBuf,
        /// What is wrong with it, as a part of the sentence.
        problem: String,
    },
    /// A question (`--help`, `--version`) or a slip on the command line; clap's own text.
    #[error("{}", first_line(.0))]
    CommandLine(clap::Error),
}

impl ConfigError {
    /// A setting's value cannot be used.
    pub fn value(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Setting {
            key: key.into(),
            problem: problem.into(),
        }
    }

    /// A setting is needed and not there.
    #[must_use]
    pub fn missing(key: &str) -> Self {
        Self::value(key, "is needed and not set")
    }

    /// A file that a setting names cannot be read.
    pub fn unreadable(key: impl Into<String>, path: &Path, source: &std::io::Error) -> Self {
        Self::value(
            key,
            format!("cannot read {}: {}", path.display(), source.kind()),
        )
    }
}

/// Reads the configuration for what the command line `C` asks.
///
/// # Errors
/// The first mistake found, or a question that clap answers.
pub fn load<C: CommandFactory + FromArgMatches>(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<C, ConfigError> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let command = command::<C>();
    let matches = command
        .clone()
        .try_get_matches_from(&arguments)
        .map_err(from_clap)?;
    let matches = match matches.get_one::<PathBuf>("config") {
        None => matches,
        Some(path) => {
            let command = with_file(command, path)?;
            command
                .try_get_matches_from(&arguments)
                .map_err(from_clap)?
        }
    };
    no_secret_on_the_command_line(&matches)?;
    C::from_arg_matches(&matches).map_err(ConfigError::CommandLine)
}

/// The command line, with the environment's values kept out of the help.
#[must_use]
pub fn command<C: CommandFactory>() -> Command {
    fn quiet(command: Command) -> Command {
        command
            .mut_args(|arg| arg.hide_env_values(true))
            .mut_subcommands(quiet)
    }
    quiet(C::command())
}

/// Lets the file's values stand where the defaults stood.
fn with_file(command: Command, path: &Path) -> Result<Command, ConfigError> {
    let wrong = |problem: String| ConfigError::File {
        path: path.to_owned(),
        problem,
    };
    let text = fs::read_to_string(path).map_err(|source| wrong(source.kind().to_string()))?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error
            .span()
            .map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        wrong(format!("line {line} is not toml"))
    })?;
    let known: BTreeSet<String> = command
        .get_subcommands()
        .flat_map(Command::get_arguments)
        .filter_map(name_of)
        .collect();
    let mut values = Vec::new();
    for (key, value) in &table {
        if !known.contains(key) {
            return Err(ConfigError::value(
                key,
                format!("unknown key in {}", path.display()),
            ));
        }
        values.push((key.clone(), plain(key, value)?));
    }
    Ok(command.mut_subcommands(|role| {
        role.mut_args(|arg| {
            let name = name_of(&arg);
            match values.iter().find(|(key, _)| Some(key) == name.as_ref()) {
                Some((_, value)) => arg.default_value(value),
                None => arg,
            }
        })
    }))
}

/// What a setting is called in the file: its variable in lower case. Not every argument is one.
fn name_of(arg: &Arg) -> Option<String> {
    arg.get_env()
        .map(|env| env.to_string_lossy().to_lowercase())
}

/// A value of the file as the environment would have written it.
fn plain(key: &str, value: &Value) -> Result<String, ConfigError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        Value::Boolean(yes) => Ok(yes.to_string()),
        Value::Array(list) => {
            let parts: Result<Vec<_>, _> = list.iter().map(|part| plain(key, part)).collect();
            Ok(parts?.join(","))
        }
        Value::Datetime(_) | Value::Table(_) => Err(ConfigError::value(
            key,
            "must be a text, a number or a list",
        )),
    }
}

/// Other users of the machine can read a command line.
fn no_secret_on_the_command_line(matches: &ArgMatches) -> Result<(), ConfigError> {
    let Some((_, role)) = matches.subcommand() else {
        return Ok(());
    };
    for id in role.ids() {
        let key = id.as_str();
        let is_secret = matches!(role.try_get_one::<Secret>(key), Ok(Some(_)));
        if is_secret && role.value_source(key) == Some(ValueSource::CommandLine) {
            let problem = "is a secret and must not be on the command line";
            return Err(ConfigError::value(key.to_uppercase(), problem));
        }
    }
    Ok(())
}

fn from_clap(error: clap::Error) -> ConfigError {
    let wrong_value = matches!(
        error.kind(),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation
    );
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) if wrong_value => {
            let name = flag
                .trim_start_matches('-')
                .split([' ', '='])
                .next()
                .unwrap_or_default();
            let key = name.replace('-', "_").to_uppercase();
            let problem = error.source().map_or_else(
                || "has no value, or one that is not among the possible ones".to_owned(),
                ToString::to_string,
            );
            ConfigError::value(key, problem)
        }
        _ => ConfigError::CommandLine(error),
    }
}

fn first_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests;
