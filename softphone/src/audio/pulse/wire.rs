//! What is said on the socket of one stream, without waiting for it.

use std::io::{self, ErrorKind, Read, Write};

use pulseaudio::protocol::{
    Command, DESCRIPTOR_SIZE, Descriptor, DescriptorFlags, ProtocolError, encode_descriptor,
    read_descriptor,
};

use super::PREFIX;

pub(super) const SAMPLE_BYTES: usize = 2;
/// Room for what comes between two looks, and more.
const READ_BYTES: usize = 4_096;
/// A server that says more in one message is none. What has waited for longer is left for the next look.
const MAX_UNREAD_BYTES: usize = 1 << 18;
/// A server that takes so little is gone: 0.7 s of sound.
const MAX_UNSENT_BYTES: usize = 1 << 16;

/// What the server says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    /// Sound of a channel: samples, the low byte first.
    Sound(u32, &'a [u8]),
    /// So many bytes more are wanted for a channel.
    Wants(u32, usize),
    /// There was nothing to play.
    Underflow,
    /// The stream is on another card now: its id.
    Moved(String),
    /// The card is gone.
    Killed,
}

/// One socket. Reads whole messages and keeps what is not whole yet.
pub(super) struct Wire<S> {
    socket: S,
    version: u16,
    /// Room for what is read; the first `unread_len` bytes are.
    unread: Vec<u8>,
    unread_len: usize,
    unsent: Vec<u8>,
}

impl<S: Read + Write> Wire<S> {
    /// Over a socket that does not block; `unread` was read from it before.
    pub(super) fn new(socket: S, version: u16, mut unread: Vec<u8>) -> Self {
        let unread_len = unread.len();
        unread.resize(unread_len + READ_BYTES, 0);
        Self {
            socket,
            version,
            unread,
            unread_len,
            unsent: Vec::new(),
        }
    }

    /// Passes on what has come.
    ///
    /// # Errors
    ///
    /// The connection is over; everything before that was passed on.
    pub(super) fn listen(&mut self, mut hear: impl FnMut(Said<'_>)) -> Result<(), ProtocolError> {
        let end = self.fill();
        let mut read = 0;
        while let Some(len) = whole_message(&self.unread[read..self.unread_len])? {
            let message = &self.unread[read..read + len];
            read += len;
            if let Some(said) = understand(message, self.version)? {
                hear(said);
            }
        }
        self.unread.copy_within(read..self.unread_len, 0);
        self.unread_len -= read;
        Ok(end?)
    }

    /// Says these samples to a channel after a silence of `gap` samples, and what could not be said before.
    ///
    /// # Errors
    ///
    /// The connection is over.
    pub(super) fn say(&mut self, channel: u32, gap: usize, samples: &[i16]) -> io::Result<()> {
        let mut head = [0; DESCRIPTOR_SIZE];
        let descriptor = Descriptor {
            length: bytes(samples.len()),
            channel,
            // From where it would be without, which is what no flag means.
            offset: u64::from(bytes(gap)),
            flags: DescriptorFlags::empty(),
        };
        encode_descriptor(&mut head, &descriptor);
        self.unsent.extend_from_slice(&head);
        self.unsent
            .extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        if self.unsent.len() > MAX_UNSENT_BYTES {
            return Err(ErrorKind::TimedOut.into());
        }
        match self.socket.write(&self.unsent) {
            Ok(len) => {
                self.unsent.drain(..len);
                Ok(())
            }
            Err(error) if waits(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Reads what is there; the error that ended it, if it was not that nothing more is there.
    fn fill(&mut self) -> io::Result<()> {
        loop {
            if self.unread_len == self.unread.len() {
                if self.unread_len >= MAX_UNREAD_BYTES {
                    return Ok(());
                }
                self.unread.resize(2 * self.unread_len, 0);
            }
            match self.socket.read(&mut self.unread[self.unread_len..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(len) => self.unread_len += len,
                Err(error) if waits(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
            if self.unread_len < self.unread.len() {
                return Ok(());
            }
        }
    }
}

fn waits(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// So many samples in bytes.
pub(super) fn bytes(samples: usize) -> u32 {
    u32::try_from(samples * SAMPLE_BYTES).unwrap_or(u32::MAX)
}

/// Length of the first message with its head, if it is there wholly.
fn whole_message(unread: &[u8]) -> Result<Option<usize>, ProtocolError> {
    let Some(mut head) = unread.get(..DESCRIPTOR_SIZE) else {
        return Ok(None);
    };
    let len = read_descriptor(&mut head)?.length as usize;
    if DESCRIPTOR_SIZE + len > MAX_UNREAD_BYTES {
        let text = format!("a message of {len} bytes");
        return Err(ProtocolError::Invalid(text));
    }
    let len = DESCRIPTOR_SIZE + len;
    Ok((unread.len() >= len).then_some(len))
}

/// `None`: what does not concern anybody here, or what a newer server says.
fn understand(message: &[u8], version: u16) -> Result<Option<Said<'_>>, ProtocolError> {
    let (mut head, mut body) = message.split_at(DESCRIPTOR_SIZE);
    let channel = read_descriptor(&mut head)?.channel;
    if channel != u32::MAX {
        return Ok(Some(Said::Sound(channel, body)));
    }
    let Ok((_, command)) = Command::read_tag_prefixed(&mut body, version) else {
        return Ok(None);
    };
    Ok(match command {
        Command::Request(request) => Some(Said::Wants(request.channel, request.length as usize)),
        Command::Underflow(_) => Some(Said::Underflow),
        Command::PlaybackStreamMoved(moved) => Some(moved_to(&moved.device_name)),
        Command::RecordStreamMoved(moved) => Some(moved_to(&moved.device_name)),
        Command::PlaybackStreamKilled(_) | Command::RecordStreamKilled(_) => Some(Said::Killed),
        _ => None,
    })
}

fn moved_to(name: &std::ffi::CStr) -> Said<'static> {
    Said::Moved(format!("{PREFIX}{}", name.to_string_lossy()))
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::VecDeque;

    use pulseaudio::protocol::{MAX_VERSION, PulseError, Request, encode_command_message};

    use super::*;

    /// The server's end: what it says, in pieces as they arrive, and what it hears.
    #[derive(Default)]
    pub(in super::super) struct Server {
        pub(in super::super) says: VecDeque<Vec<u8>>,
        pub(in super::super) hears: Vec<u8>,
        /// Bytes that it takes before its socket is full.
        pub(in super::super) room: Option<usize>,
        pub(in super::super) is_gone: bool,
    }

    impl Read for Server {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(piece) = self.says.front_mut() else {
                return if self.is_gone {
                    Ok(0)
                } else {
                    Err(ErrorKind::WouldBlock.into())
                };
            };
            let len = piece.len().min(buffer.len());
            buffer[..len].copy_from_slice(&piece[..len]);
            piece.drain(..len);
            if piece.is_empty() {
                self.says.pop_front();
            }
            Ok(len)
        }
    }

    impl Write for Server {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let len = bytes.len().min(self.room.unwrap_or(usize::MAX));
            if len == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.room = self.room.map(|room| room - len);
            self.hears.extend_from_slice(&bytes[..len]);
            Ok(len)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(in super::super) fn wire(says: impl IntoIterator<Item = Vec<u8>>) -> Wire<Server> {
        let server = Server {
            says: says.into_iter().collect(),
            ..Server::default()
        };
        Wire::new(server, MAX_VERSION, Vec::new())
    }

    impl Wire<Server> {
        pub(in super::super) fn server(&mut self) -> &mut Server {
            &mut self.socket
        }
    }

    pub(in super::super) fn command(command: &Command) -> Vec<u8> {
        let mut message = Vec::new();
        encode_command_message(&mut message, u32::MAX, command, MAX_VERSION).unwrap();
        message
    }

    pub(in super::super) fn request(channel: u32, samples: usize) -> Vec<u8> {
        let length = bytes(samples);
        command(&Command::Request(Request { channel, length }))
    }

    pub(in super::super) fn sound(channel: u32, samples: &[i16]) -> Vec<u8> {
        let mut wire = wire([]);
        wire.say(channel, 0, samples).unwrap();
        wire.socket.hears
    }

    /// What is heard, as text; sound by its length.
    fn heard(wire: &mut Wire<Server>) -> (Vec<String>, bool) {
        let mut heard = Vec::new();
        let end = wire.listen(|said| {
            heard.push(match said {
                Said::Sound(channel, bytes) => format!("sound {channel} {}", bytes.len()),
                other => format!("{other:?}"),
            });
        });
        (heard, end.is_ok())
    }

    #[test]
    fn messages_are_heard_whole_however_they_are_cut() {
        let all = [
            sound(3, &[1; 700]),
            request(7, 240),
            sound(3, &[2; 2_300]),
            command(&Command::RecordStreamKilled(3)),
        ];
        let whole = heard(&mut wire([all.concat()])).0;
        assert_eq!(
            whole,
            ["sound 3 1400", "Wants(7, 480)", "sound 3 4600", "Killed"]
        );
        for len in [1, 19, 20, 21, 500, 4_096, 5_000] {
            let pieces = all.concat();
            let mut wire = wire(pieces.chunks(len).map(<[u8]>::to_vec));
            let mut all_heard = Vec::new();
            for _ in 0..pieces.len() {
                all_heard.extend(heard(&mut wire).0);
            }
            assert_eq!(all_heard, whole, "in pieces of {len}");
            assert_eq!(wire.unread_len, 0);
        }
    }

    #[test]
    fn what_nobody_knows_is_passed_over_and_nonsense_ends_it() {
        let mut unknown = command(&Command::Error(PulseError::Exist));
        unknown[24] = 250;
        let mut wire_of_both = wire([unknown, request(7, 1)]);
        assert!(heard(&mut wire_of_both).0.is_empty());
        assert_eq!(heard(&mut wire_of_both).0, ["Wants(7, 2)"]);
        let mut endless = wire([[0xff; DESCRIPTOR_SIZE].to_vec()]);
        assert!(!heard(&mut endless).1);
    }

    #[test]
    fn what_came_before_the_end_is_heard() {
        let mut wire = wire([request(7, 1)]);
        wire.socket.is_gone = true;
        assert_eq!(heard(&mut wire), (vec!["Wants(7, 2)".to_owned()], true));
        assert_eq!(heard(&mut wire), (vec![], false));
    }

    #[test]
    fn a_full_socket_gets_the_rest_later_and_one_that_stays_full_is_given_up() {
        let expected = [sound(7, &[5; 480]), sound(7, &[6; 480])].concat();
        let mut wire = wire([]);
        wire.socket.room = Some(100);
        wire.say(7, 0, &[5; 480]).unwrap();
        wire.say(7, 0, &[6; 480]).unwrap();
        assert_eq!(wire.socket.hears.len(), 100);
        wire.socket.room = None;
        wire.say(7, 0, &[]).unwrap();
        assert_eq!(wire.socket.hears[..expected.len()], expected);
        wire.socket.room = Some(0);
        assert!((0..200).any(|_| wire.say(7, 0, &[5; 480]).is_err()));
    }
}
