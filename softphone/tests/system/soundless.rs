//! A machine without a sound card: calls connect, and the terminal stays readable.

use std::fs::{self, File};
use std::path::Path;

use tokio::process::Command;

use crate::exchange::Exchange;
use crate::phones::Phone;

/// No sound server, and a usual card of ALSA that there is not.
fn without_sound<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
    let nowhere = format!("unix:{}", folder.join("no-server").display());
    command
        .env("PULSE_SERVER", nowhere)
        .env("XDG_RUNTIME_DIR", folder)
        .env("HOME", folder)
        .env("ALSA_CARD", "there-is-none")
        .env_remove("TANDEM_LOG")
}

#[tokio::test]
async fn what_is_missing_is_said_once_and_calls_add_nothing_to_it() {
    let parent = tempfile::tempdir().unwrap();
    let exchange = Exchange::start().await;
    let alice = Phone::running("200", &exchange, parent.path(), &[]).await;
    let mut bob = Phone::activated("201", &exchange, parent.path()).await;
    let mut listing = bob.program();
    let listed = without_sound(&mut listing, parent.path())
        .arg("devices")
        .output()
        .await
        .unwrap();
    // Cards that only their full names reach can be here all the same.
    let has_cards = String::from_utf8_lossy(&listed.stdout).contains("alsa:");

    let log = parent.path().join("errors");
    let mut command = bob.program();
    without_sound(&mut command, parent.path())
        .args(["run", "--headless", "--auto-answer"])
        .stderr(File::create(&log).unwrap());
    bob.runs(command).await;
    bob.succeeds(&["status", "--wait", "registered"]).await;
    for _ in 0..2 {
        // Long enough for a card to be looked for again, several times.
        alice.succeeds(&["call", "201", "--duration", "1.5"]).await;
        bob.succeeds(&["status", "--wait", "idle"]).await;
    }
    bob.succeeds(&["stop"]).await;

    let said = fs::read_to_string(&log).unwrap();
    assert!(!said.contains("ALSA lib"), "{said}");
    assert!(!said.contains('\x1b'), "no terminal, no colours: {said}");
    if has_cards {
        assert!(said.lines().count() <= 2, "one for each card: {said}");
    } else {
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("--no-sound-card"), "{said}");
    }
}
