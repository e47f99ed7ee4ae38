//! A connection to the server: reaching it, the cookie, questions and answers.

use std::ffi::CString;
use std::io::{self, BufReader};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use pulseaudio::protocol::{
    self, AuthParams, AuthReply, Command, CommandReply, Prop, Props, ProtocolError, PulseError,
    SetClientNameReply,
};

use super::wire::Wire;

/// What people see of us in the system's own settings.
const CLIENT_NAME: &std::ffi::CStr = c"Tandem";
/// How long the server may take to answer a question.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Length of a cookie (PulseAudio's `PA_NATIVE_COOKIE_LENGTH`). A server throws a client out that
/// shows fewer bytes, even one that does not care what they are.
const COOKIE_BYTES: usize = 256;

/// Why the server does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// There is none.
    #[error("there is no PulseAudio here")]
    NoServer,
    /// It does not answer.
    #[error("PulseAudio does not answer: {0}")]
    Io(#[from] io::Error),
    /// It does not have what was asked for.
    #[error("PulseAudio has no such card")]
    NoSuchCard,
    /// It says no, or something else than what was asked.
    #[error("PulseAudio says: {0}")]
    Refused(ProtocolError),
}

impl From<ProtocolError> for Trouble {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::Io(error) => Self::Io(error),
            ProtocolError::ServerError(PulseError::NoEntity) => Self::NoSuchCard,
            other => Self::Refused(other),
        }
    }
}

/// One connection. Dropping it closes what was opened through it.
pub(super) struct Connection {
    socket: BufReader<UnixStream>,
    version: u16,
    sequence: u32,
}

impl Connection {
    /// Reaches the server that the environment names.
    pub(super) fn open() -> Result<Self, Trouble> {
        let path = pulseaudio::socket_path_from_env().ok_or(Trouble::NoServer)?;
        let kept = pulseaudio::cookie_path_from_env().and_then(|path| std::fs::read(path).ok());
        Self::introduce(UnixStream::connect(path)?, cookie(kept))
    }

    /// Begins the conversation on a socket.
    fn introduce(socket: UnixStream, cookie: Vec<u8>) -> Result<Self, Trouble> {
        socket.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        let mut connection = Self {
            socket: BufReader::new(socket),
            version: protocol::MAX_VERSION,
            sequence: 0,
        };
        let auth: AuthReply = connection.ask(&Command::Auth(AuthParams {
            version: protocol::MAX_VERSION,
            supports_shm: false,
            supports_memfd: false,
            cookie,
        }))?;
        connection.version = auth.version.min(protocol::MAX_VERSION);
        let mut props = Props::new();
        props.set(Prop::ApplicationName, CLIENT_NAME);
        if let Ok(process) = CString::new(std::process::id().to_string()) {
            props.set(Prop::ApplicationProcessId, process);
        }
        let _: SetClientNameReply = connection.ask(&Command::SetClientName(props))?;
        Ok(connection)
    }

    /// Asks a question and waits for its answer. Only before a stream is opened: afterwards the
    /// server says things unasked.
    pub(super) fn ask<R: CommandReply>(&mut self, question: &Command) -> Result<R, Trouble> {
        self.sequence += 1;
        let asked = self.sequence;
        protocol::write_command_message(self.socket.get_mut(), asked, question, self.version)?;
        let (answered, answer) = protocol::read_reply_message(&mut self.socket, self.version)?;
        if answered != asked {
            let text = format!("an answer to question {answered} instead of {asked}");
            return Err(Trouble::Refused(ProtocolError::Invalid(text)));
        }
        Ok(answer)
    }

    /// From now on the server speaks when it wants to, and nobody waits for it.
    pub(super) fn listen(self) -> Result<(Wire<UnixStream>, Hangup), Trouble> {
        let unread = self.socket.buffer().to_vec();
        let socket = self.socket.into_inner();
        socket.set_nonblocking(true)?;
        let hangup = Hangup(socket.try_clone()?);
        Ok((Wire::new(socket, self.version, unread), hangup))
    }
}

/// Ends a conversation when it is dropped, also if another thread has it.
pub(super) struct Hangup(UnixStream);

impl Drop for Hangup {
    fn drop(&mut self) {
        // It may be over already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// What is shown to the server: what is kept, or as many zeros, as libpulse does it.
fn cookie(kept: Option<Vec<u8>>) -> Vec<u8> {
    kept.filter(|cookie| cookie.len() == COOKIE_BYTES)
        .unwrap_or_else(|| vec![0; COOKIE_BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_always_has_its_full_length() {
        let kept: Vec<u8> = (0..=255).collect();
        assert_eq!(cookie(Some(kept.clone())), kept);
        assert_eq!(cookie(None), [0; 256]);
        assert_eq!(cookie(Some(Vec::new())), [0; 256]);
        assert_eq!(cookie(Some(vec![1; 255])), [0; 256]);
    }

    #[test]
    fn a_server_is_shown_the_whole_cookie_before_anything_is_asked() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let server = std::thread::spawn(move || {
            let mut socket = BufReader::new(theirs);
            let read = |socket: &mut BufReader<UnixStream>| {
                protocol::read_command_message(socket, protocol::MAX_VERSION).unwrap()
            };
            let (sequence, auth) = read(&mut socket);
            let reply = AuthReply {
                version: 32,
                ..AuthReply::default()
            };
            protocol::write_reply_message(socket.get_mut(), sequence, &reply, 32).unwrap();
            let (sequence, name) = read(&mut socket);
            let reply = SetClientNameReply { client_id: 1 };
            protocol::write_reply_message(socket.get_mut(), sequence, &reply, 32).unwrap();
            (auth, name)
        });
        let connection = Connection::introduce(ours, cookie(None)).unwrap();
        assert_eq!(connection.version, 32);
        let (auth, name) = server.join().unwrap();
        let Command::Auth(auth) = auth else {
            panic!("{auth:?}")
        };
        assert_eq!(auth.cookie.len(), 256);
        assert!(matches!(name, Command::SetClientName(_)), "{name:?}");
    }

    #[test]
    fn what_the_server_does_not_have_is_told_apart_from_a_server_that_is_gone() {
        let none = Trouble::from(ProtocolError::ServerError(PulseError::NoEntity));
        assert!(matches!(none, Trouble::NoSuchCard), "{none}");
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        let Err(gone) = Connection::introduce(ours, cookie(None)) else {
            panic!("nobody is there")
        };
        assert!(matches!(gone, Trouble::Io(_)), "{gone}");
    }
}
