//! The program `softphone`: reads the command line, does what it says, and ends with an exit
//! status that tells scripts what happened (`softphone --help` lists them).
//!
//! Everything else is in the library beside it, so that tests can use it. `TANDEM_LOG` chooses
//! what is logged to standard error, such as `info` or `softphone=debug`.

use std::io::IsTerminal as _;
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
        .with_ansi(is_coloured())
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

/// Files and pipes get no colour codes, nor do people who want none (<https://no-color.org>).
fn is_coloured() -> bool {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    wanted && std::io::stderr().is_terminal()
}
