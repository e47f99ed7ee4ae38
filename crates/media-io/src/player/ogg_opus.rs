//! An Ogg Opus file (RFC 7845), mono or stereo.

use std::fs::File;
use std::io::{BufReader, SeekFrom};

use ogg::reading::OggReadError;
use ogg::{Packet, PacketReader};
use opusic_c::{Channels, Decoder, SampleRate};

use super::pages::{MAX_POSITION, Page, pages_of};
use super::{Track, TrackError, unsuitable};

/// Longest packet, 120 ms, in samples per channel.
const MAX_PACKET_SAMPLES: usize = 5_760;
/// Decoded before the place that was asked for, so that the decoder has settled there: 80 ms
/// (RFC 7845 section 4.6).
const PRE_ROLL: u64 = 3_840;
/// Damaged pages in a row that are stepped over.
const MAX_DAMAGED: u32 = 16;

pub(super) struct OggOpusTrack {
    packets: PacketReader<BufReader<File>>,
    decoder: Decoder,
    head: Head,
    serial: u32,
    /// Pages with sound.
    pages: Vec<Page>,
    /// Position at which the first packet with sound begins.
    base: u64,
    /// Positions of the next packet, of the first sample to be heard, and of the end.
    at: u64,
    from: u64,
    end: u64,
}

/// What the identification header says.
#[derive(Clone, Copy, Debug)]
struct Head {
    channels: Channels,
    pre_skip: u64,
}

impl OggOpusTrack {
    pub(super) fn open(file: File) -> Result<Self, TrackError> {
        let mut packets = PacketReader::new(BufReader::new(file));
        let first = read_packet(&mut packets)?.ok_or_else(|| unsuitable("is empty"))?;
        let head = Head::parse(&first.data)?;
        let serial = first.stream_serial();
        let tags = next_of(&mut packets, serial)?;
        if !tags.is_some_and(|tags| tags.data.starts_with(b"OpusTags")) {
            return Err(unsuitable(
                "has no comment header, which Ogg Opus must have",
            ));
        }
        let base = base_position(&mut packets, serial)?;
        let mut file = packets.into_inner();
        // The headers are on pages of position 0.
        let mut pages = pages_of(&mut file, serial)?;
        pages.retain(|page| page.position > 0);
        let end = pages.last().map_or(base, |page| page.position.max(base));
        let decoder = Decoder::new(head.channels, SampleRate::Hz48000)
            .map_err(|_| unsuitable("needs a decoder that cannot be made"))?;
        let mut track = Self {
            packets: PacketReader::new(file),
            decoder,
            head,
            serial,
            pages,
            base,
            at: base,
            from: base,
            end,
        };
        track.seek(0)?;
        Ok(track)
    }

    /// The samples of a packet that are to be heard, mono. A damaged packet is silence.
    fn decode(&mut self, packet: &[u8], out: &mut Vec<i16>) {
        let channels = self.head.channels as usize;
        let mut decoded = [0_u16; 2 * MAX_PACKET_SAMPLES];
        let room = &mut decoded[..channels * MAX_PACKET_SAMPLES];
        let len = match self.decoder.decode_to_slice(packet, room, false) {
            Ok(len) => len,
            Err(_) => duration_samples(packet).unwrap_or(0),
        };
        let begin = self.at;
        self.at += len as u64;
        let (from, end) = (self.from, self.end);
        for (n, sample) in decoded[..channels * len].chunks_exact(channels).enumerate() {
            let position = begin + n as u64;
            if position >= from && position < end {
                out.push(downmix(sample));
            }
        }
    }
}

impl Track for OggOpusTrack {
    fn duration_samples(&self) -> u64 {
        self.end.saturating_sub(self.base + self.head.pre_skip)
    }

    fn seek(&mut self, sample: u64) -> Result<(), TrackError> {
        self.from = (self.base + self.head.pre_skip).saturating_add(sample);
        let settled_from = self.from.saturating_sub(PRE_ROLL);
        // The last page before which all is over by then.
        let before = self
            .pages
            .partition_point(|page| page.position <= settled_from);
        let page = self.pages.get(before).or(self.pages.last());
        let offset = page.map_or(0, |page| page.offset);
        self.at = match before.checked_sub(1) {
            Some(before) => self.pages[before].position,
            None => self.base,
        };
        self.packets.seek_bytes(SeekFrom::Start(offset))?;
        self.decoder
            .reset()
            .map_err(|_| unsuitable("cannot be decoded from another place"))
    }

    fn read(&mut self, out: &mut Vec<i16>) -> Result<(), TrackError> {
        let before = out.len();
        while out.len() == before && self.at < self.end {
            let Some(packet) = next_of(&mut self.packets, self.serial)? else {
                return Ok(());
            };
            if !packet.data.starts_with(b"OpusHead") && !packet.data.starts_with(b"OpusTags") {
                self.decode(&packet.data, out);
            }
        }
        Ok(())
    }
}

impl Head {
    /// RFC 7845 section 5.1.
    fn parse(data: &[u8]) -> Result<Self, TrackError> {
        let Some(fields) = data.strip_prefix(b"OpusHead") else {
            return Err(unsuitable("is Ogg, but not Ogg Opus"));
        };
        let &[
            version,
            channels,
            skip_low,
            skip_high,
            _,
            _,
            _,
            _,
            _,
            _,
            family,
            ..,
        ] = fields
        else {
            return Err(unsuitable("has an identification header that is too short"));
        };
        if version >> 4 != 0 {
            return Err(unsuitable("is of a later version of Ogg Opus"));
        }
        let channels = match (family, channels) {
            (0, 1) => Channels::Mono,
            (0, 2) => Channels::Stereo,
            _ => {
                return Err(unsuitable(
                    "has more channels than two, which is not played",
                ));
            }
        };
        Ok(Self {
            channels,
            pre_skip: u64::from(u16::from_le_bytes([skip_low, skip_high])),
        })
    }
}

/// Where the sound begins: the position of the first page less what is on it. Streams that were
/// cut out of longer ones do not begin at 0 (RFC 7845 section 4.3).
fn base_position(
    packets: &mut PacketReader<BufReader<File>>,
    serial: u32,
) -> Result<u64, TrackError> {
    let mut samples = 0;
    while let Some(packet) = next_of(packets, serial)? {
        samples += duration_samples(&packet.data).unwrap_or(0) as u64;
        if packet.last_in_stream() || packet.absgp_page() > MAX_POSITION {
            return Ok(0);
        }
        if packet.last_in_page() {
            return Ok(packet.absgp_page().saturating_sub(samples));
        }
    }
    Ok(0)
}

/// The next packet of one stream; steps over damaged pages.
fn next_of(
    packets: &mut PacketReader<BufReader<File>>,
    serial: u32,
) -> Result<Option<Packet>, TrackError> {
    let mut damaged = 0;
    loop {
        match read_packet(packets) {
            Ok(Some(packet)) if packet.stream_serial() != serial => {}
            Ok(packet) => return Ok(packet),
            Err(TrackError::Unsuitable(_)) if damaged < MAX_DAMAGED => damaged += 1,
            Err(error) => return Err(error),
        }
    }
}

fn read_packet(packets: &mut PacketReader<BufReader<File>>) -> Result<Option<Packet>, TrackError> {
    match packets.read_packet() {
        Ok(packet) => Ok(packet),
        // The last page is not whole: the process that wrote it was killed.
        Err(OggReadError::ReadError(error))
            if error.kind() == std::io::ErrorKind::UnexpectedEof =>
        {
            Ok(None)
        }
        Err(OggReadError::ReadError(error)) => Err(TrackError::Io(error)),
        Err(error) => Err(unsuitable(format!("is damaged: {error}"))),
    }
}

fn duration_samples(packet: &[u8]) -> Option<usize> {
    let len = opusic_c::utils::get_nb_samples(packet, SampleRate::Hz48000).ok()?;
    (len <= MAX_PACKET_SAMPLES).then_some(len)
}

/// Of samples as the binding gives them: unsigned words, bit by bit the signed ones.
#[expect(clippy::cast_possible_truncation, reason = "the mean of 16 bits fits")]
fn downmix(samples: &[u16]) -> i16 {
    match samples {
        [left, right] => {
            ((i32::from(left.cast_signed()) + i32::from(right.cast_signed())) / 2) as i16
        }
        [one, ..] => one.cast_signed(),
        [] => 0,
    }
}
