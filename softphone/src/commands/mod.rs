//! One function per command of the command line.
//!
//! `activate`, `run`, `devices` and `deactivate` work by themselves; the others ask the softphone
//! that runs on the profile.

mod activate;
mod calls;
mod directory;
mod open;
mod password;
mod reference;
mod status;
mod transfer;

use std::path::PathBuf;

use directories::ProjectDirs;

use crate::cli::{Cli, Command, Conference, OneCall, Record, RecordAction};
use crate::control::ControlClient;
use crate::control::protocol::{Command as Ask, Rejection};
use crate::engine;
use crate::failure::{Failure, FailureKind};
use crate::profile::{ProfileError, ProfileFolder};
use crate::terminal::Terminal;

/// Carries out one command line.
///
/// # Errors
///
/// [`Failure`] with the exit status of the process.
pub async fn execute(cli: Cli) -> Result<(), Failure> {
    let terminal = if cli.json {
        Terminal::Json
    } else {
        Terminal::Sentences
    };
    let folder = ProfileFolder::new(profile_folder(cli.profile)?);
    match cli.command {
        Command::Activate(activate) => {
            activate::activate(activate, cli.secret_store, &folder, terminal).await
        }
        Command::Run(run) => engine::run(run, folder, terminal).await,
        Command::Call(call) => calls::call(call, &mut connect(&folder).await?, terminal).await,
        Command::Answer(answer) => {
            calls::answer(answer, &mut connect(&folder).await?, terminal).await
        }
        Command::Reject(reject) => {
            let told = if reject.declined {
                Rejection::Declined
            } else {
                Rejection::Busy
            };
            ask(
                Ask::Reject {
                    call: reject.call,
                    told,
                },
                &folder,
                terminal,
            )
            .await
        }
        Command::Hangup(one) => ask(Ask::HangUp { call: one.call }, &folder, terminal).await,
        Command::Hold(one) => ask(Ask::Hold { call: one.call }, &folder, terminal).await,
        Command::Resume(one) => ask(Ask::Resume { call: one.call }, &folder, terminal).await,
        Command::Mute(one) => mute(one, true, &folder, terminal).await,
        Command::Unmute(one) => mute(one, false, &folder, terminal).await,
        Command::Record(asked) => record(asked, &folder, terminal).await,
        Command::Conference(asked) => conference(asked, &folder, terminal).await,
        Command::Processing(asked) => {
            let command = Ask::SetProcessing {
                echo_cancellation: asked.echo_cancellation.map(bool::from),
                noise_suppression: asked.noise_suppression.map(bool::from),
                gain_control: asked.gain_control.map(bool::from),
            };
            ask(command, &folder, terminal).await
        }
        Command::Dtmf(dtmf) => {
            let command = Ask::Dtmf {
                digits: dtmf.digits,
                call: dtmf.call,
            };
            ask(command, &folder, terminal).await
        }
        Command::Transfer(asked) => {
            transfer::transfer(asked, &mut connect(&folder).await?, terminal).await
        }
        Command::Consult(asked) => {
            calls::consult(asked, &mut connect(&folder).await?, terminal).await
        }
        Command::Status(status) => status::status(&status, &folder, terminal).await,
        Command::Lines => status::lines(&mut connect(&folder).await?, terminal).await,
        Command::Directory(asked) => directory::directory(asked, &folder, terminal).await,
        Command::Password(asked) => password::enter(asked.line, &folder, terminal).await,
        Command::Devices => status::devices(terminal).await,
        Command::Open(open) => open::open(open, cli.secret_store, &folder, terminal).await,
        Command::Stop => ask(Ask::Stop, &folder, terminal).await,
        Command::Reference(reference) => reference::reference(reference, terminal).await,
        Command::Deactivate => activate::deactivate(&folder, terminal).await,
    }
}

/// The phone that runs on the profile.
///
/// # Errors
///
/// [`FailureKind::NotActivated`] before there can be one, else [`FailureKind::NotRunning`].
async fn connect(folder: &ProfileFolder) -> Result<ControlClient, Failure> {
    if !folder.is_activated() {
        return Err(ProfileError::NotActivated.into());
    }
    ControlClient::connect(folder.path()).await
}

async fn ask(command: Ask, folder: &ProfileFolder, terminal: Terminal) -> Result<(), Failure> {
    let done = connect(folder).await?.request(command).await?;
    let sentence = done
        .call
        .map_or("Done".to_owned(), |call| format!("Done (call {call})"));
    terminal.result(&done, &sentence);
    Ok(())
}

async fn mute(
    one: OneCall,
    muted: bool,
    folder: &ProfileFolder,
    terminal: Terminal,
) -> Result<(), Failure> {
    let call = one.call;
    ask(Ask::Mute { call, muted }, folder, terminal).await
}

async fn record(asked: Record, folder: &ProfileFolder, terminal: Terminal) -> Result<(), Failure> {
    let what = asked.what;
    let command = match asked.action {
        RecordAction::Start => Ask::Record {
            what,
            to: asked.to.map(crate::cli::absolute),
        },
        RecordAction::Stop => Ask::StopRecording { what },
    };
    let done = connect(folder).await?.request(command).await?;
    let file = done.file.as_deref().map(std::path::Path::display);
    let sentence = match asked.action {
        RecordAction::Start => "Recording to",
        RecordAction::Stop => "Recorded in",
    };
    let file = file.map_or_else(|| "a file".to_owned(), |file| file.to_string());
    terminal.result(&done, &format!("{sentence} {file}"));
    Ok(())
}

async fn conference(
    asked: Conference,
    folder: &ProfileFolder,
    terminal: Terminal,
) -> Result<(), Failure> {
    let command = match asked {
        Conference::Start { calls } | Conference::Add { calls } => Ask::Join { calls },
        Conference::Split(one) => Ask::Split { call: one.call },
        Conference::Mute { call } => Ask::Silence { call, muted: true },
        Conference::Unmute { call } => Ask::Silence { call, muted: false },
        Conference::Hold => Ask::HoldConference,
        Conference::Resume => Ask::ResumeConference,
        Conference::End => Ask::EndConference,
    };
    ask(command, folder, terminal).await
}

/// The folder that was asked for, or the user's own.
fn profile_folder(asked: Option<PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(folder) = asked {
        return Ok(crate::cli::absolute(folder));
    }
    ProjectDirs::from("", "Tandem", "softphone")
        .map(|folders| folders.data_local_dir().to_owned())
        .ok_or_else(|| {
            Failure::new(
                FailureKind::Profile,
                "there is no home folder: use --profile DIR",
            )
        })
}

impl From<ProfileError> for Failure {
    fn from(error: ProfileError) -> Self {
        let kind = match error {
            ProfileError::NotActivated => FailureKind::NotActivated,
            ProfileError::InUse { .. } => FailureKind::AlreadyRunning,
            _ => FailureKind::Profile,
        };
        Self::new(kind, error.to_string())
    }
}
