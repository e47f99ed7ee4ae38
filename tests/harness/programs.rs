//! Finding and running the built programs.

use std::path::PathBuf;

use tokio::process::Command;

/// The built program `name` of this workspace.
///
/// # Panics
///
/// If it has not been built: the tests drive real programs.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the running test has a path");
    let folder = test
        .ancestors()
        .nth(2)
        .expect("tests lie in the deps folder of the build");
    let path = folder.join(name);
    assert!(
        path.exists(),
        "{} is not built: run `cargo build --workspace` first",
        path.display()
    );
    path
}

/// What a command that has ended said.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: std::process::ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

/// Runs a command to its end.
///
/// # Panics
///
/// If it cannot be started.
pub async fn output_of(command: &mut Command) -> Finished {
    let output = command
        .kill_on_drop(true)
        .output()
        .await
        .expect("the command can be started");
    Finished {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
