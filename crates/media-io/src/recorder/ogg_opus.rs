//! A recording as Ogg Opus (RFC 7845): header pages, then one page per second.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use media::{FRAME_SAMPLES, Frame, SAMPLE_RATE_HZ};
use ogg::{PacketWriteEndInfo, PacketWriter};
use opusic_c::{Application, Bitrate, Channels, Encoder, ErrorCode, SampleRate};

use super::{StereoFile, interleaved};

/// Bits per second for both sides together; the rate varies with what is said.
const BITRATE: u32 = 96_000;
/// Of 10: costs a fourth of the full search, and the difference is not heard at this rate.
const COMPLEXITY: u8 = 5;
/// Blocks of 10 ms in a packet.
const BLOCKS_PER_PACKET: usize = 2;
/// Samples per channel in a packet.
const PACKET_SAMPLES: u64 = (BLOCKS_PER_PACKET * FRAME_SAMPLES) as u64;
/// Room that `libopus` recommends for a packet.
const MAX_PACKET_BYTES: usize = 4_000;

pub(super) struct OggOpusFile {
    pages: PacketWriter<'static, BufWriter<File>>,
    encoder: Encoder,
    serial: u32,
    /// Samples of the delay of the encoder, which a player leaves out (RFC 7845 section 4.2).
    pre_skip: u16,
    /// Interleaved, less than a packet; the binding takes samples as unsigned words, bit by bit the same.
    waiting: Vec<u16>,
    /// Samples per channel that were recorded, and that went into packets.
    recorded: u64,
    encoded: u64,
    /// The last packet: held back, so that it can end its page or the stream.
    held: Option<Vec<u8>>,
}

impl OggOpusFile {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut encoder = Encoder::new(Channels::Stereo, SampleRate::Hz48000, Application::Audio)
            .map_err(refused)?;
        let pre_skip = set_up(&mut encoder).map_err(refused)?;
        let mut file = Self {
            pages: PacketWriter::new(BufWriter::new(File::create(path)?)),
            encoder,
            serial: rand::random(),
            pre_skip,
            waiting: Vec::with_capacity(2 * BLOCKS_PER_PACKET * FRAME_SAMPLES),
            recorded: 0,
            encoded: 0,
            held: None,
        };
        for header in [head(pre_skip), tags()] {
            file.pages
                .write_packet(header, file.serial, PacketWriteEndInfo::EndPage, 0)?;
        }
        file.pages.inner_mut().flush()?;
        Ok(file)
    }

    fn encode_waiting(&mut self) -> io::Result<()> {
        self.release(PacketWriteEndInfo::NormalPacket)?;
        let mut packet = Vec::with_capacity(MAX_PACKET_BYTES);
        self.encoder
            .encode_to_vec(&self.waiting, &mut packet)
            .map_err(refused)?;
        self.waiting.clear();
        self.encoded += PACKET_SAMPLES;
        self.held = Some(packet);
        Ok(())
    }

    /// Writes the packet that is held. Its position counts all samples up to its end; the last of
    /// the stream says where the sound really ends (RFC 7845 section 4.4).
    fn release(&mut self, end: PacketWriteEndInfo) -> io::Result<()> {
        let Some(packet) = self.held.take() else {
            return Ok(());
        };
        let position = match end {
            PacketWriteEndInfo::EndStream => self.recorded + u64::from(self.pre_skip),
            _ => self.encoded,
        };
        self.pages.write_packet(packet, self.serial, end, position)
    }
}

impl StereoFile for OggOpusFile {
    fn write(&mut self, sides: &[Frame; 2]) -> io::Result<()> {
        let samples = interleaved(sides);
        self.waiting
            .extend(samples.iter().map(|sample| sample.cast_unsigned()));
        self.recorded += FRAME_SAMPLES as u64;
        if self.waiting.len() == 2 * BLOCKS_PER_PACKET * FRAME_SAMPLES {
            self.encode_waiting()?;
        }
        Ok(())
    }

    fn update(&mut self) -> io::Result<()> {
        self.release(PacketWriteEndInfo::EndPage)?;
        self.pages.inner_mut().flush()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        // Silence pushes out what the encoder still holds; at least one packet is left to end with.
        while self.encoded < self.recorded + u64::from(self.pre_skip) {
            self.waiting
                .resize(2 * BLOCKS_PER_PACKET * FRAME_SAMPLES, 0);
            self.encode_waiting()?;
        }
        self.release(PacketWriteEndInfo::EndStream)?;
        self.pages.inner_mut().flush()
    }
}

/// Gives the delay in samples.
fn set_up(encoder: &mut Encoder) -> Result<u16, ErrorCode> {
    encoder.set_bitrate(Bitrate::Value(BITRATE))?;
    encoder.set_complexity(COMPLEXITY)?;
    encoder.set_vbr(true)?;
    Ok(u16::try_from(encoder.get_look_ahead()?).unwrap_or(0))
}

fn refused(error: ErrorCode) -> io::Error {
    io::Error::other(error.message())
}

/// The identification header (RFC 7845 section 5.1): version 1, two channels, mapping family 0.
fn head(pre_skip: u16) -> Vec<u8> {
    let mut head = b"OpusHead\x01\x02".to_vec();
    head.extend_from_slice(&pre_skip.to_le_bytes());
    head.extend_from_slice(&SAMPLE_RATE_HZ.to_le_bytes());
    // Output gain of 0 dB and the mapping family.
    head.extend_from_slice(&[0, 0, 0]);
    head
}

/// The comment header (RFC 7845 section 5.2): who made it, no comments.
fn tags() -> Vec<u8> {
    let vendor = concat!("Tandem ", env!("CARGO_PKG_VERSION"));
    let len = u32::try_from(vendor.len()).unwrap_or(0);
    let mut tags = b"OpusTags".to_vec();
    tags.extend_from_slice(&len.to_le_bytes());
    tags.extend_from_slice(vendor.as_bytes());
    tags.extend_from_slice(&[0; 4]);
    tags
}
