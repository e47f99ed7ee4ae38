//! `tandem`: portal and SIP proxy in one process, the embedded default.
//!
//! `serve` runs both on one data directory (`serve.rs`); `user add` lets somebody in from the command line, also when everybody
//! is locked out; `account import` makes many SIP accounts at once; `backup` and `restore` take everything to one file and back (`backup.rs`);
//! `openapi` prints the description that the web pages' client is generated from. Configuration comes from a file and
//! the command line (`config.rs`, `cli.rs`); `check.rs` tells whether it would do.
//!
//! Not here: anything about SIP (`sip-proxy`) or HTTP (`portal`).

mod backup;
mod check;
mod cli;
mod config;
mod data_dir;
#[cfg(test)]
mod documented;
mod generate;
mod http;
mod key_files;
mod mail;
mod observe;
mod serve;
mod sign_up;
mod sip_limits;
mod sip_listen;
mod sip_numbers;
mod sip_trusted;
mod supervisor;
mod unknown_key;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use tikv_jemallocator::Jemalloc;
use time::OffsetDateTime;

use crate::cli::{
    AccountCommand, AddUser, Cli, Command, ImportAccounts, ServeArguments, UserCommand,
};
use crate::config::Config;

/// A message makes and drops dozens of small pieces: `docs/decisions/0007-allocator.md`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Serve(arguments) => serve(arguments).await,
        Command::User {
            command: UserCommand::Add(arguments),
        } => add_user(arguments).await,
        Command::Account {
            command: AccountCommand::Import(arguments),
        } => import_accounts(arguments).await,
        Command::Backup(arguments) => backup::back_up(arguments).await.map_err(Into::into),
        Command::Restore(arguments) => backup::restore(arguments).await.map_err(Into::into),
        Command::Generate { folder } => generate::generate(&folder).map_err(Into::into),
        Command::Openapi => {
            println!("{}", portal::openapi_json());
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tandem: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: ServeArguments) -> Result<(), Box<dyn Error>> {
    let config = Config::load(&arguments)?;
    if arguments.check_config {
        print!("{}", toml::to_string(&config)?);
        return Ok(check::check(&config).await?);
    }
    observe::start_log(config.log);
    Ok(serve::serve(config).await?)
}

async fn add_user(arguments: AddUser) -> Result<(), Box<dyn Error>> {
    let (_, _, db) = serve::open_store(&Config::for_data(&arguments.data)?).await?;
    let person = portal::Person {
        email: arguments.email,
        first_name: arguments.first_name,
        last_name: arguments.last_name,
        installation_administrator: arguments.installation_administrator,
    };
    let made = portal::add_user(&person, OffsetDateTime::now_utc(), &db).await?;
    println!(
        "One-time password of {}: {}",
        made.email,
        made.password.reveal()
    );
    Ok(())
}

async fn import_accounts(arguments: ImportAccounts) -> Result<(), Box<dyn Error>> {
    let text = tokio::fs::read_to_string(&arguments.file).await?;
    let (_, vault, db) = serve::open_store(&Config::for_data(&arguments.data)?).await?;
    let now = OffsetDateTime::now_utc();
    let count = portal::import_accounts(&arguments.tenant, &text, &vault, now, &db).await?;
    println!("Accounts made: {count}");
    Ok(())
}
