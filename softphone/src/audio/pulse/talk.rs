//! The thread of one stream: it moves samples between the server and a ring.
//!
//! It sleeps until the server has a period or wants one, and neither locks, allocates nor logs while
//! it moves it (invariant I8).

use std::io::{self, BufReader, Read, Write};

use media_io::ring::{CaptureEnd, PlaybackEnd};
use pulseaudio::protocol::{
    Command, DESCRIPTOR_SIZE, Descriptor, DescriptorFlags, ProtocolError, encode_descriptor,
    read_descriptor,
};

use super::PREFIX;
use super::connection::skip;
use crate::audio::callback::{CaptureCallback, PlaybackCallback};
use crate::audio::keeper::Watch;
use crate::audio::{AudioError, DeviceKind};

/// What the server gives and asks for at a time: 5 ms. With 10 ms the server keeps 20 ms more and a call costs a
/// third of a percent of a core less.
pub(super) const PERIOD_SAMPLES: usize = 240;
pub(super) const PERIOD_MS: u32 = 5;
const SAMPLE_BYTES: usize = 2;
/// So many samples in bytes.
pub(super) fn bytes(samples: usize) -> u32 {
    u32::try_from(samples * SAMPLE_BYTES).unwrap_or(u32::MAX)
}

/// What the stream's thread does with one message.
pub(super) trait Direction: Send + 'static {
    /// Does what can be done before the next message comes.
    fn give(&mut self, _socket: &mut impl Write) -> io::Result<()> {
        Ok(())
    }

    /// So many bytes of sound come for a channel.
    fn sound(&mut self, socket: &mut impl Read, _channel: u32, len: usize) -> io::Result<()> {
        skip(socket, len)
    }

    /// The server wants so many bytes more for a channel.
    fn wants(&mut self, _channel: u32, _len: usize) {}
}

/// What is said on one socket.
pub(super) struct Conversation<S> {
    pub(super) socket: S,
    pub(super) version: u16,
}

/// What a message that is not sound says.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    /// Nothing that concerns anybody else.
    Done,
    /// The stream is on another card now.
    Moved(String),
    /// The card is gone.
    Killed,
}

/// Both ends of a socket.
pub(super) trait Wire: io::BufRead {
    type Out: Write;
    fn out(&mut self) -> &mut Self::Out;
}

impl<S: Read + Write> Wire for BufReader<S> {
    type Out = S;

    fn out(&mut self) -> &mut S {
        self.get_mut()
    }
}

impl<S: Wire> Conversation<S> {
    /// One turn: what we have to give, then what the server says next.
    fn turn(&mut self, direction: &mut impl Direction) -> Result<Turn, ProtocolError> {
        direction.give(self.socket.out())?;
        let descriptor = read_descriptor(&mut self.socket)?;
        let len = descriptor.length as usize;
        if descriptor.channel != u32::MAX {
            direction.sound(&mut self.socket, descriptor.channel, len)?;
            return Ok(Turn::Done);
        }
        let mut message = Read::take(&mut self.socket, u64::from(descriptor.length));
        let read = Command::read_tag_prefixed(&mut message, self.version);
        let rest = usize::try_from(message.limit()).unwrap_or(usize::MAX);
        skip(&mut self.socket, rest)?;
        Ok(match read {
            Ok((_, Command::Request(request))) => {
                direction.wants(request.channel, request.length as usize);
                Turn::Done
            }
            Ok((_, Command::PlaybackStreamMoved(moved))) => Turn::moved(&moved.device_name),
            Ok((_, Command::RecordStreamMoved(moved))) => Turn::moved(&moved.device_name),
            Ok((_, Command::PlaybackStreamKilled(_) | Command::RecordStreamKilled(_))) => {
                Turn::Killed
            }
            Err(ProtocolError::Io(error)) => return Err(error.into()),
            // What a newer server says and nobody here knows.
            Ok(_) | Err(_) => Turn::Done,
        })
    }
}

impl Turn {
    fn moved(name: &std::ffi::CStr) -> Self {
        Self::Moved(format!("{PREFIX}{}", name.to_string_lossy()))
    }
}

/// Starts the stream's thread. It ends when the stream does, which the keeper is told.
pub(super) fn run<S: Wire + Send + 'static>(
    kind: DeviceKind,
    watch: Watch,
    mut conversation: Conversation<S>,
    mut direction: impl Direction,
) -> Result<(), AudioError> {
    let talk = move || {
        let why = loop {
            match conversation.turn(&mut direction) {
                Ok(Turn::Done) => {}
                Ok(Turn::Moved(id)) => watch.moved(id),
                Ok(Turn::Killed) => break "the card is gone".to_owned(),
                Err(error) => break error.to_string(),
            }
        };
        watch.ended(why);
    };
    let spawned = std::thread::Builder::new()
        .name(format!("pulse-{kind}"))
        .spawn(talk);
    spawned.map(drop).map_err(|error| AudioError::NoSystem {
        reason: error.to_string(),
    })
}

/// A microphone's sound on its way to the ring.
pub(super) struct Capture {
    channel: u32,
    callback: CaptureCallback,
    period: [i16; PERIOD_SAMPLES],
}

impl Capture {
    pub(super) fn new(channel: u32, ring: CaptureEnd) -> Self {
        Self {
            channel,
            callback: CaptureCallback { ring, channels: 1 },
            period: [0; PERIOD_SAMPLES],
        }
    }
}

impl Direction for Capture {
    fn sound(&mut self, socket: &mut impl Read, channel: u32, mut len: usize) -> io::Result<()> {
        if channel != self.channel {
            return skip(socket, len);
        }
        let mut block = [0; PERIOD_SAMPLES * SAMPLE_BYTES];
        while len >= SAMPLE_BYTES {
            let part = len.min(block.len()) / SAMPLE_BYTES * SAMPLE_BYTES;
            socket.read_exact(&mut block[..part])?;
            let (samples, _) = block[..part].as_chunks();
            for (sample, &bytes) in self.period.iter_mut().zip(samples) {
                *sample = i16::from_le_bytes(bytes);
            }
            self.callback.take(&self.period[..part / SAMPLE_BYTES]);
            len -= part;
        }
        skip(socket, len)
    }
}

const BLOCK_BYTES: usize = DESCRIPTOR_SIZE + PERIOD_SAMPLES * SAMPLE_BYTES;

/// The ring's sound on its way to a loudspeaker.
pub(super) struct Playback {
    channel: u32,
    /// What the server wants and has not got yet.
    wanted_bytes: usize,
    callback: PlaybackCallback,
    period: [i16; PERIOD_SAMPLES],
    /// A message to the server: its head, then samples.
    block: [u8; BLOCK_BYTES],
}

impl Playback {
    pub(super) fn new(channel: u32, wanted_bytes: usize, ring: PlaybackEnd) -> Self {
        Self {
            channel,
            wanted_bytes,
            callback: PlaybackCallback { ring, channels: 1 },
            period: [0; PERIOD_SAMPLES],
            block: [0; BLOCK_BYTES],
        }
    }
}

impl Direction for Playback {
    fn give(&mut self, socket: &mut impl Write) -> io::Result<()> {
        while self.wanted_bytes >= SAMPLE_BYTES {
            let samples = (self.wanted_bytes / SAMPLE_BYTES).min(PERIOD_SAMPLES);
            let period = &mut self.period[..samples];
            self.callback.fill(period);
            let len = samples * SAMPLE_BYTES;
            let (head, sound) = self.block.split_at_mut(DESCRIPTOR_SIZE);
            let descriptor = Descriptor {
                length: bytes(samples),
                channel: self.channel,
                offset: 0,
                flags: DescriptorFlags::empty(),
            };
            if let Some(head) = head.first_chunk_mut() {
                encode_descriptor(head, &descriptor);
            }
            let (places, _) = sound.as_chunks_mut();
            for (place, sample) in places.iter_mut().zip(period) {
                *place = sample.to_le_bytes();
            }
            socket.write_all(&self.block[..DESCRIPTOR_SIZE + len])?;
            self.wanted_bytes -= len;
        }
        Ok(())
    }

    fn wants(&mut self, channel: u32, len: usize) {
        if channel == self.channel {
            self.wanted_bytes = self.wanted_bytes.saturating_add(len);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use pulseaudio::protocol::{MAX_VERSION, PulseError, Request, encode_command_message};
    use rtrb::RingBuffer;

    use super::*;
    use crate::audio::callback::counting::allocations;

    /// What the server says, and what it hears.
    struct Server {
        says: Cursor<Vec<u8>>,
        hears: Cursor<Vec<u8>>,
    }

    impl Read for Server {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.says.read(buffer)
        }
    }

    impl io::BufRead for Server {
        fn fill_buf(&mut self) -> io::Result<&[u8]> {
            self.says.fill_buf()
        }

        fn consume(&mut self, bytes: usize) {
            self.says.consume(bytes);
        }
    }

    impl Wire for Server {
        type Out = Cursor<Vec<u8>>;

        fn out(&mut self) -> &mut Self::Out {
            &mut self.hears
        }
    }

    fn conversation(says: Vec<u8>) -> Conversation<Server> {
        Conversation {
            socket: Server {
                says: Cursor::new(says),
                hears: Cursor::new(Vec::with_capacity(1 << 20)),
            },
            version: MAX_VERSION,
        }
    }

    fn command(command: &Command) -> Vec<u8> {
        let mut message = Vec::new();
        encode_command_message(&mut message, u32::MAX, command, MAX_VERSION).unwrap();
        message
    }

    fn request(channel: u32, length: usize) -> Vec<u8> {
        let length = u32::try_from(length).unwrap();
        command(&Command::Request(Request { channel, length }))
    }

    fn sound(channel: u32, samples: &[i16]) -> Vec<u8> {
        let mut head = [0; DESCRIPTOR_SIZE];
        let descriptor = Descriptor {
            length: bytes(samples.len()),
            channel,
            offset: 0,
            flags: DescriptorFlags::empty(),
        };
        encode_descriptor(&mut head, &descriptor);
        let samples = samples.iter().flat_map(|sample| sample.to_le_bytes());
        head.into_iter().chain(samples).collect()
    }

    fn playback(wanted_bytes: usize) -> (rtrb::Producer<i16>, Playback) {
        let (producer, consumer) = RingBuffer::new(9_600);
        let playback = Playback::new(7, wanted_bytes, PlaybackEnd::new(consumer));
        (producer, playback)
    }

    fn capture() -> (Capture, rtrb::Consumer<i16>) {
        let (producer, consumer) = RingBuffer::new(9_600);
        let capture = Capture::new(3, CaptureEnd::new(producer));
        (capture, consumer)
    }

    #[test]
    fn what_the_server_wants_it_gets_in_blocks_of_a_period_with_silence_for_what_is_missing() {
        let (mut ring, mut playback) = playback(2 * 600);
        (0..500).for_each(|n| ring.push(n).unwrap());
        let mut server = conversation(request(7, 100));
        assert_eq!(server.turn(&mut playback).unwrap(), Turn::Done);
        let mut expected: Vec<i16> = (0..500).collect();
        expected.resize(600, 0);
        let heard = server.socket.hears.get_ref().clone();
        let blocks = expected.chunks(PERIOD_SAMPLES);
        let told: Vec<u8> = blocks.flat_map(|block| sound(7, block)).collect();
        assert_eq!(heard, told);
        assert_eq!(playback.wanted_bytes, 100);
        assert_eq!(playback.callback.ring.missed(), 100);
    }

    #[test]
    fn captured_sound_of_any_length_reaches_the_ring_and_that_of_others_does_not() {
        let wave: Vec<i16> = (0..1_100).map(|n| n * 25 - 13_000).collect();
        let (mut capture, mut ring) = capture();
        let mut server = conversation([sound(4, &[9; 50]), sound(3, &wave)].concat());
        for _ in 0..2 {
            assert_eq!(server.turn(&mut capture).unwrap(), Turn::Done);
        }
        let heard: Vec<i16> = std::iter::from_fn(|| ring.pop().ok()).collect();
        assert_eq!(heard.len(), wave.len());
        assert!(wave.iter().zip(&heard).all(|(a, b)| a.abs_diff(*b) <= 1));
    }

    #[test]
    fn a_card_that_is_gone_is_told_and_what_nobody_knows_is_passed_over() {
        let (mut capture, _ring) = capture();
        let mut unknown = command(&Command::Error(PulseError::Exist));
        unknown[24] = 250;
        let killed = command(&Command::RecordStreamKilled(3));
        let mut server = conversation([unknown, killed].concat());
        assert_eq!(server.turn(&mut capture).unwrap(), Turn::Done);
        assert_eq!(server.turn(&mut capture).unwrap(), Turn::Killed);
        assert!(server.turn(&mut capture).is_err(), "the server is gone");
    }

    #[test]
    fn moving_sound_neither_allocates_nor_frees_i8() {
        let (_ring, mut playback) = playback(1_920);
        let (mut capture, _consumer) = capture();
        let mut player = conversation((0..50).flat_map(|_| request(7, 960)).collect());
        let mut recorder = conversation((0..50).flat_map(|_| sound(3, &[1; 480])).collect());
        let counted = allocations(|| {
            for _ in 0..50 {
                assert!(player.turn(&mut playback).is_ok());
                assert!(recorder.turn(&mut capture).is_ok());
            }
        });
        assert_eq!(counted, 0);
        assert!(player.socket.hears.get_ref().len() > 50 * 960);
    }
}
