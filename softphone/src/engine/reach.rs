//! How calls are reached behind address translation: which servers help, and what both sides' words for ICE are in the
//! crate that does it.
//!
//! ICE is on if it is asked for or a server is named. Names are looked up for every call, so that a server may move.

use std::net::SocketAddr;
use std::time::Duration;

use media_io::{Agreement, Credentials, IceServers, LocalCandidates, Role, Secret, TurnConfig};
use sdp::{AgreedIce, Candidate, IceCredentials, IceRole, LocalIce, MediaIce, Negotiated};
use sip::{Host, HostPort};
use tokio::net::lookup_host;
use tokio::time::timeout;

use crate::cli::{self, IceChoice};
use crate::failure::{Failure, FailureKind};

/// The port of STUN and TURN (RFC 8489 section 18.6).
const USUAL_PORT: u16 = 3478;
/// Longest wait for a name.
const LOOK_UP: Duration = Duration::from_secs(3);
/// Longest password file that is read, in bytes.
const MAX_PASSWORD: u64 = 1_024;

/// The servers as they were named.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach {
    stun: Option<HostPort>,
    turn: Option<TurnServer>,
}

#[derive(Clone, Debug)]
struct TurnServer {
    at: HostPort,
    username: String,
    password: Secret,
}

impl Reach {
    /// What was asked for; `None` if ICE is off.
    ///
    /// # Errors
    ///
    /// [`Failure`] says which option is wrong.
    pub(super) fn new(asked: &cli::Run) -> Result<Option<Self>, Failure> {
        let usual = if asked.stun.is_some() || asked.turn.is_some() {
            IceChoice::On
        } else {
            IceChoice::Off
        };
        if asked.ice.unwrap_or(usual) == IceChoice::Off {
            return Ok(None);
        }
        let stun = match &asked.stun {
            Some(text) => Some(server(text, "--stun", "HOST or HOST:PORT")?),
            None => None,
        };
        let turn = match &asked.turn {
            Some(text) => Some(turn_server(text, asked)?),
            None => None,
        };
        Ok(Some(Self { stun, turn }))
    }

    /// The addresses of the servers that the local address can reach.
    pub(super) async fn look_up(&self, local: SocketAddr) -> IceServers {
        let stun = match &self.stun {
            Some(at) => address_of(at, local).await,
            None => None,
        };
        let turn = match &self.turn {
            Some(turn) => address_of(&turn.at, local).await.map(|server| TurnConfig {
                server,
                username: turn.username.clone(),
                password: turn.password.clone(),
            }),
            None => None,
        };
        IceServers { stun, turn }
    }
}

fn turn_server(text: &str, asked: &cli::Run) -> Result<TurnServer, Failure> {
    let wrong = |what: &str| Failure::new(FailureKind::Usage, what.to_owned());
    let (username, at) = text
        .rsplit_once('@')
        .filter(|(username, _)| !username.is_empty())
        .ok_or_else(|| wrong("--turn must be USER@HOST or USER@HOST:PORT"))?;
    let file = asked
        .turn_password_file
        .as_ref()
        .ok_or_else(|| wrong("--turn needs its password in a file: --turn-password-file FILE"))?;
    let unreadable = |error: std::io::Error| {
        let file = file.display();
        Failure::new(
            FailureKind::Usage,
            format!("the TURN password file {file}: {error}"),
        )
    };
    if std::fs::metadata(file).map_err(unreadable)?.len() > MAX_PASSWORD {
        return Err(wrong(
            "the TURN password file is too long; it holds one line",
        ));
    }
    let password = zeroize::Zeroizing::new(std::fs::read_to_string(file).map_err(unreadable)?);
    let password = password.trim_end_matches(['\r', '\n']);
    if password.is_empty() || password.contains('\n') {
        return Err(wrong("the TURN password file must hold one line"));
    }
    Ok(TurnServer {
        at: server(at, "--turn", "USER@HOST or USER@HOST:PORT")?,
        username: username.to_owned(),
        password: Secret::new(password.to_owned()),
    })
}

fn server(text: &str, option: &str, form: &str) -> Result<HostPort, Failure> {
    text.parse::<HostPort>()
        .map_err(|_| Failure::new(FailureKind::Usage, format!("{option} must be {form}")))
}

/// One of the family of the local address.
async fn address_of(at: &HostPort, local: SocketAddr) -> Option<SocketAddr> {
    let port = at.port.unwrap_or(USUAL_PORT);
    let fits = |address: &SocketAddr| address.is_ipv4() == local.is_ipv4();
    if let Some(ip) = at.host.ip() {
        return Some(SocketAddr::new(ip, port)).filter(fits);
    }
    let found = timeout(LOOK_UP, lookup_host((name_of(&at.host), port))).await;
    match found {
        Ok(Ok(addresses)) => {
            let addresses: Vec<_> = addresses.collect();
            addresses.into_iter().find(fits)
        }
        Ok(Err(_)) | Err(_) => {
            tracing::warn!(server = %at.host, "the STUN or TURN server has no address");
            None
        }
    }
}

fn name_of(host: &Host) -> String {
    host.to_string()
}

/// What the core writes into descriptions. A candidate that it cannot read is a mistake of ours and is left out.
pub(super) fn for_descriptions(local: &LocalCandidates) -> LocalIce {
    let read = |text: &String| Candidate::parse(text);
    LocalIce {
        credentials: IceCredentials::new(
            &local.credentials.ufrag,
            local.credentials.password.reveal(),
        ),
        candidates: local.candidates.iter().filter_map(read).collect(),
    }
}

/// What offer and answer agreed, for who carries it out; `None` if media goes to the announced address.
pub(super) fn agreement(negotiated: &Negotiated) -> Option<Agreement> {
    let agreed = match &negotiated.ice {
        MediaIce::Agreed(agreed) => agreed,
        MediaIce::Refused(refusal) => {
            tracing::info!(%refusal, "this call goes without ICE");
            return None;
        }
        MediaIce::Off => return None,
    };
    let AgreedIce {
        local,
        remote,
        role,
        candidates,
    } = agreed.as_ref();
    Some(Agreement {
        local: credentials(local),
        remote: credentials(remote),
        role: match role {
            IceRole::Controlling => Role::Controlling,
            IceRole::Controlled => Role::Controlled,
        },
        candidates: candidates.iter().map(Candidate::to_string).collect(),
    })
}

fn credentials(of: &IceCredentials) -> Credentials {
    Credentials {
        ufrag: of.ufrag.clone(),
        password: Secret::new(of.password.as_str().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn asked(options: &str) -> cli::Run {
        let line = format!("softphone run {options}");
        let cli = cli::Cli::try_parse_from(line.split_whitespace()).unwrap();
        match cli.command {
            cli::Command::Run(run) => run,
            _ => panic!("run was asked for"),
        }
    }

    #[test]
    fn ice_is_on_if_it_is_asked_for_or_a_server_is_named() {
        for (options, on) in [
            ("", false),
            ("--ice on", true),
            ("--stun stun.example.org", true),
            ("--stun 192.0.2.1:3479 --ice off", false),
        ] {
            assert_eq!(
                Reach::new(&asked(options)).unwrap().is_some(),
                on,
                "{options}"
            );
        }
    }

    #[test]
    fn wrong_servers_are_said_with_what_would_be_right() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty");
        std::fs::write(&empty, "\n").unwrap();
        for (options, words) in [
            ("--turn host.example".to_owned(), "--turn must be USER@HOST"),
            (
                "--turn alice@192.0.2.1".to_owned(),
                "--turn-password-file FILE",
            ),
            ("--stun :::".to_owned(), "--stun must be HOST or HOST:PORT"),
            (
                format!(
                    "--turn a@192.0.2.1 --turn-password-file {}",
                    empty.display()
                ),
                "must hold one line",
            ),
            (
                "--turn a@192.0.2.1 --turn-password-file /nowhere/at/all".to_owned(),
                "the TURN password file /nowhere",
            ),
        ] {
            let said = Reach::new(&asked(&options)).unwrap_err().to_string();
            assert!(said.contains(words), "{options}: {said}");
        }
    }

    #[tokio::test]
    async fn the_password_comes_from_the_file_and_servers_of_another_family_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "marker-secret\n").unwrap();
        let options = format!(
            "--turn alice@example.org@192.0.2.1:3479 --stun 192.0.2.2 --turn-password-file {}",
            file.display()
        );
        let reach = Reach::new(&asked(&options)).unwrap().unwrap();
        assert!(!format!("{reach:?}").contains("marker-secret"));
        let servers = reach.look_up("192.0.2.9:4000".parse().unwrap()).await;
        let turn = servers.turn.unwrap();
        assert_eq!(turn.username, "alice@example.org");
        assert_eq!(turn.password.reveal(), "marker-secret");
        assert_eq!(turn.server, "192.0.2.1:3479".parse().unwrap());
        assert_eq!(servers.stun, Some("192.0.2.2:3478".parse().unwrap()));
        let none = reach.look_up("[2001:db8::1]:4000".parse().unwrap()).await;
        assert!(none.stun.is_none() && none.turn.is_none());
    }
}
