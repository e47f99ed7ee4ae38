//! The program `softphone`: reads the command line, does what it says, and ends with an exit
//! status that tells scripts what happened (`softphone --help` lists them).
//!
//! Everything else is in the library beside it, so that tests can use it. `TANDEM_LOG` chooses
//! what is logged to standard error, such as `info` or `softphone=debug`.

use std::process::ExitCode;

use clap::Parser as _;
use softphone::cli::Cli;
use softphone::terminal::Terminal;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("TANDEM_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let cli = Cli::parse();
    let terminal = if cli.json {
        Terminal::Json
    } else {
        Terminal::Sentences
    };
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal.notice(&format!("the system gives no threads: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(softphone::execute(cli));
    // A look-up or a key store may still be waiting for an answer that nobody needs.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.failure(&failure);
            ExitCode::from(failure.kind.exit_code())
        }
    }
}
