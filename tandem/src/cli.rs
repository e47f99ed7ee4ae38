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
    /// Write everything in the database to one file; also works while the server runs.
    Backup(BackupArguments),
    /// Put a backup into an empty database, all of it or nothing.
    Restore(RestoreArguments),
    /// Print the description of the HTTP interface (OpenAPI).
    Openapi,
    /// Write manual pages and completions for shells into a folder.
    #[command(hide = true)]
    Generate {
        /// The folder; it is made if it is not there.
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// The file to write, which must not exist; `-` is standard output.
    #[arg(long, required_unless_present = "list")]
    pub(crate) to: Option<PathBuf>,
    /// Tell what is in a backup, and end.
    #[arg(long, conflicts_with_all = ["to", "with_keys"])]
    pub(crate) list: Option<PathBuf>,
    /// Put the key files into it as well, encrypted with a passphrase.
    #[arg(long)]
    pub(crate) with_keys: bool,
    /// File whose first line is the passphrase; it is asked for otherwise.
    #[arg(long, requires = "with_keys")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// The backup.
    #[arg(long)]
    pub(crate) from: PathBuf,
    /// Replace what is in the database. Key files that differ are kept beside the new ones.
    #[arg(long)]
    pub(crate) replace: bool,
    /// Put the backup's key files into the data directory.
    #[arg(long)]
    pub(crate) with_keys: bool,
    /// File whose first line is the passphrase; it is asked for otherwise.
    #[arg(long, requires = "with_keys")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Go on without the key that the backup's secrets are sealed with: SIP passwords must be set anew then.
    #[arg(long, conflicts_with = "with_keys")]
    pub(crate) lose_secrets: bool,
}

/// Everything that may also stand in the configuration file; what is given here wins.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Check the configuration and what it names, print it with secrets as ***, and end: with status 1 if it would not do.
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
    /// Configuration file (TOML).
    #[arg(long, env = "TANDEM_CONFIG")]
    pub(crate) config: Option<PathBuf>,
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
