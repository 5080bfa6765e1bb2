//! The vault's agent: renders secrets into files, and again whenever they change or end.

use std::{path::PathBuf, time::Duration};

use super::{
    error::Result,
    leash::{Leash, Signal},
    servers,
    vault::Vault,
};

const PATIENCE: Duration = Duration::from_secs(30);
/// The folder of the files.
const FILES: &str = "secrets";

/// A file that the agent writes.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its name.
    pub file: &'static str,
    /// What is in it, in the agent's language. `FOLDER` stands for the folder of the files.
    pub text: String,
}

/// A running agent.
#[derive(Debug)]
pub struct Agent {
    leash: Leash,
}

impl Agent {
    /// Starts an agent that has this token, and waits until every file is there.
    ///
    /// # Errors
    /// It does not start, or may not read what the templates name; its log is in the error.
    pub async fn start(vault: &Vault, token: &str, templates: &[Template]) -> Result<Self> {
        let leash = Leash::new("vault-agent", Signal::Kill)?;
        let program = servers::VAULT.programs(&leash).await?.join("bao");
        leash.subfolder(FILES)?;
        let token = leash.write("token", token)?;
        let files = leash.folder().join(FILES).display().to_string();
        let mut config = vec![format!(
            "vault {{ address = \"{}\" }}\n\
             auto_auth {{ method \"token_file\" {{ config = {{ token_file_path = \"{}\" }} }} }}\n\
             template_config {{ static_secret_render_interval = \"1s\" }}\n",
            vault.url(),
            token.display(),
        )];
        for Template { file, text } in templates {
            let text = text.replace("FOLDER", &files);
            let source = leash.write(&format!("{file}.tpl"), &text)?;
            config.push(format!(
                "template {{ source = \"{}\" destination = \"{files}/{file}\" perms = \"0600\" }}\n",
                source.display(),
            ));
        }
        leash.write("agent.hcl", &config.concat())?;
        let agent = Self { leash };
        let there = async |_| {
            let mut files = templates.iter().map(|template| agent.file(template.file));
            files.all(|file| file.metadata().is_ok_and(|file| file.len() > 0))
        };
        let args = ["agent", "-config=agent.hcl"];
        agent.leash.start(&program, &args, PATIENCE, there).await?;
        Ok(agent)
    }

    /// One of its files.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.leash.folder().join(FILES).join(name)
    }
}
