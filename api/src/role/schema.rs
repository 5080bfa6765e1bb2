//! `tollbook schema`: the JSON Schemas of everything stored or sent, and the `OpenAPI` document.

use std::{fs, path::Path};

use schema::document::{self, Document};

use super::{RoleError, say};
use crate::{cli::SchemaSettings, rest};

/// Prints all schemas, writes them to a folder, or checks those in a folder.
///
/// # Errors
/// A file cannot be written or read, or differs.
pub fn run(settings: &SchemaSettings) -> Result<(), RoleError> {
    let documents = documents();
    match (&settings.write, &settings.check) {
        (Some(folder), _) => write(folder, &documents),
        (None, Some(folder)) => check(folder, &documents),
        (None, None) => {
            for document in &documents {
                say(text(document).trim_end());
            }
            Ok(())
        }
    }
}

fn write(folder: &Path, documents: &[Document]) -> Result<(), RoleError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| RoleError::SchemaFile { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    for document in documents {
        let path = folder.join(document.file);
        fs::write(&path, text(document)).map_err(failed(&path))?;
        say(format_args!("written   {}", path.display()));
    }
    Ok(())
}

fn check(folder: &Path, documents: &[Document]) -> Result<(), RoleError> {
    for document in documents {
        let path = folder.join(document.file);
        match fs::read_to_string(&path) {
            Ok(found) if found == text(document) => {}
            Ok(_) => return Err(RoleError::SchemaDiffers { path }),
            Err(source) => return Err(RoleError::SchemaFile { path, source }),
        }
    }
    say(format_args!("unchanged {} schemas", documents.len()));
    Ok(())
}

/// The schemas of what is stored or sent, and the document of the REST API.
fn documents() -> Vec<Document> {
    let mut documents = document::all();
    documents.push(Document {
        file: "openapi.json",
        schema: rest::document(),
    });
    documents
}

/// As it is committed.
fn text(document: &Document) -> String {
    format!("{:#}\n", document.schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_checks_and_what_was_changed_does_not() {
        let folder = std::env::temp_dir().join(format!("tollbook-schema-{}", std::process::id()));
        let documents = documents();
        write(&folder, &documents).expect("writes");
        check(&folder, &documents).expect("the same");
        let path = folder.join(documents[0].file);
        fs::write(&path, "{}\n").expect("writes");
        let error = check(&folder, &documents).expect_err("differs").to_string();
        assert!(error.contains(documents[0].file), "{error}");
        fs::remove_dir_all(&folder).expect("removes");
    }
}
