//! Manual pages and completions for shells, made of the command line itself.

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;

/// Writes `tandem.1` and a page for each command, and completions for bash, zsh and fish, into `folder`.
pub(crate) fn generate(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut Cli::command(), "tandem", folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_and_every_shell_its_completions() {
        let folder = tempfile::tempdir().unwrap();
        generate(folder.path()).unwrap();
        for name in [
            "tandem.1",
            "tandem-serve.1",
            "tandem-backup.1",
            "tandem.bash",
            "_tandem",
            "tandem.fish",
        ] {
            let text = fs::read_to_string(folder.path().join(name)).unwrap();
            assert!(text.contains("tandem"), "{name}");
        }
        let serve = fs::read_to_string(folder.path().join("tandem-serve.1")).unwrap();
        assert!(serve.contains("TANDEM_CONFIG"), "{serve}");
    }
}
