//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Portal and SIP proxy in one process.
#[derive(Debug, Parser)]
#[command(name = "tandem", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the portal and the proxy until stopped.
    Serve(ServeArguments),
    /// Look after the people who may sign in to the portal.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Look after SIP accounts.
    Account {
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Print the description of the HTTP interface (OpenAPI).
    Openapi,
}

/// Everything that may also stand in the configuration file; what is given here wins.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Configuration file (TOML).
    #[arg(long, env = "TANDEM_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Check the configuration, print it with secrets as ***, and end.
    #[arg(long)]
    pub(crate) check_config: bool,
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// Where the portal listens, for example 127.0.0.1:8080.
    #[arg(long)]
    pub(crate) http: Option<SocketAddr>,
    /// Where the proxy listens, on UDP and TCP, for example 0.0.0.0:5060.
    #[arg(long)]
    pub(crate) sip: Option<SocketAddr>,
    /// How people and devices reach the portal, for example `https://phones.example.com`.
    #[arg(long)]
    pub(crate) public_url: Option<String>,
}

/// Where the data are.
#[derive(Clone, Debug, Args)]
pub(crate) struct DataArguments {
    /// Folder of database and keys.
    #[arg(long, env = "TANDEM_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Database to use instead of the SQLite file in the data directory: postgres://…
    #[arg(long, env = "TANDEM_DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add somebody and print a one-time password; also works while the server runs.
    Add(AddUser),
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Make many accounts of a tenant at once, all or none; also works while the server runs.
    Import(ImportAccounts),
}

#[derive(Debug, Args)]
pub(crate) struct ImportAccounts {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// Short name of the tenant.
    #[arg(long)]
    pub(crate) tenant: String,
    /// A user name, a comma and a password on each line.
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct AddUser {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    #[arg(long)]
    pub(crate) email: String,
    #[arg(long)]
    pub(crate) first_name: String,
    #[arg(long)]
    pub(crate) last_name: String,
    /// May create tenants and see all of them.
    #[arg(long)]
    pub(crate) installation_administrator: bool,
}
