//! `password`: a password that the portal leaves to the person.
//!
//! Read from standard input, never from the command line, where every program could see it.

use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::process::{Command, Stdio};

use api::Secret;
use serde_json::json;
use zeroize::Zeroizing;

use crate::control::ControlClient;
use crate::control::protocol::Command as Ask;
use crate::failure::{Failure, FailureKind};
use crate::profile::{PasswordError, ProfileError, ProfileFolder};
use crate::terminal::Terminal;

/// Longest password that is taken.
const MAX_PASSWORD_BYTES: u64 = 256;

pub(super) async fn enter(
    line: Option<String>,
    folder: &ProfileFolder,
    terminal: Terminal,
) -> Result<(), Failure> {
    if !folder.is_activated() {
        return Err(ProfileError::NotActivated.into());
    }
    let password = read_password(terminal)?;
    match ControlClient::connect(folder.path()).await {
        Ok(mut running) => {
            running.request(Ask::SetPassword { line, password }).await?;
        }
        Err(_) => {
            let _lock = folder.lock()?;
            let mut profile = folder.load()?;
            profile.enter_password(line.as_deref(), password)?;
            folder.save(&profile)?;
        }
    }
    terminal.result(&json!({ "password": "entered" }), "The password is kept");
    Ok(())
}

fn read_password(terminal: Terminal) -> Result<Secret, Failure> {
    let input = std::io::stdin();
    let echo = input.is_terminal().then(|| {
        terminal.notice("password:");
        HiddenInput::start()
    });
    let mut text = Zeroizing::new(String::new());
    let read = input
        .lock()
        .take(MAX_PASSWORD_BYTES + 1)
        .read_line(&mut text);
    drop(echo);
    let password = text.trim_end_matches(['\r', '\n']);
    let is_usable = !password.is_empty()
        && password.len() as u64 <= MAX_PASSWORD_BYTES
        && !password.chars().any(char::is_control);
    match read {
        Ok(_) if is_usable => Ok(Secret(password.to_owned())),
        _ => Err(Failure::new(
            FailureKind::Usage,
            "no usable password came on standard input",
        )),
    }
}

/// While it lives, the terminal does not show what is typed.
struct HiddenInput;

impl HiddenInput {
    fn start() -> Self {
        set_echo("-echo");
        Self
    }
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        set_echo("echo");
    }
}

/// A terminal that cannot be told shows what is typed; that is no reason to refuse.
fn set_echo(mode: &str) {
    let _ = Command::new("stty")
        .arg(mode)
        .stdin(Stdio::inherit())
        .status();
}

impl From<PasswordError> for Failure {
    fn from(error: PasswordError) -> Self {
        Self::new(FailureKind::NotPossible, error.to_string())
    }
}
