//! What is asked of the server for one stream.
//!
//! The server converts: every stream is mono, 48 kHz, 16 bits, whatever the card is.

use media::SAMPLE_RATE_HZ;
use media_io::{AudioSink, AudioSource};
use pulseaudio::protocol::stream::{BufferAttr, StreamFlags};
use pulseaudio::protocol::{
    ChannelMap, Command, CreatePlaybackStreamReply, CreateRecordStreamReply, PlaybackStreamParams,
    Prop, Props, RecordStreamParams, SampleFormat, SampleSpec,
};

use super::connection::{Connection, Hangup, Trouble};
use super::list::{Card, find};
use super::loudspeaker::Loudspeaker;
use super::microphone::Microphone;
use super::wire::bytes;
use crate::audio::keeper::{Opened, Watch};
use crate::audio::{AudioError, DeviceKind};

/// What the server gives and asks for at a time: 5 ms, as often as a call looks. With 10 ms the server keeps 20 ms more.
const PERIOD_SAMPLES: usize = 240;
/// What the server keeps of captured sound while nobody looks; what comes later is lost: 100 ms.
const MAX_CAPTURED_SAMPLES: usize = 20 * PERIOD_SAMPLES;
/// What the server keeps between us and the loudspeaker, in periods: one that is being played, one
/// that comes next, and two for what the server takes as its own margin.
const TARGET_PERIODS: usize = 4;
/// Name of the streams in the system's own settings.
const STREAM_NAME: &std::ffi::CStr = c"call";

/// Opens a microphone: the one with this id, or the system's choice.
pub(in crate::audio) fn open_microphone(
    id: Option<&str>,
    watch: Watch,
) -> Result<Opened<Box<dyn AudioSource>>, AudioError> {
    let kind = DeviceKind::Microphone;
    let (mut server, card) = reach(id, kind)?;
    let refused = refusal(kind, &card.name);
    let attributes = BufferAttr {
        fragment_size: bytes(PERIOD_SAMPLES),
        max_length: bytes(MAX_CAPTURED_SAMPLES),
        ..BufferAttr::default()
    };
    let params = RecordStreamParams {
        sample_spec: form(),
        channel_map: ChannelMap::mono(),
        // Without an index the stream follows the system's choice.
        source_index: id.map(|_| card.index),
        buffer_attr: attributes,
        flags: flags(),
        props: props(),
        ..RecordStreamParams::default()
    };
    let stream: CreateRecordStreamReply = server
        .ask(&Command::CreateRecordStream(params))
        .map_err(&refused)?;
    let (wire, hangup) = server.listen().map_err(&refused)?;
    let microphone = Microphone::new(wire, stream.channel, watch);
    Ok(opened(Box::new(microphone), card, hangup))
}

/// Opens a loudspeaker: the one with this id, or the system's choice.
pub(in crate::audio) fn open_loudspeaker(
    id: Option<&str>,
    watch: Watch,
) -> Result<Opened<Box<dyn AudioSink>>, AudioError> {
    let kind = DeviceKind::Loudspeaker;
    let (mut server, card) = reach(id, kind)?;
    let refused = refusal(kind, &card.name);
    let attributes = BufferAttr {
        target_length: bytes(TARGET_PERIODS * PERIOD_SAMPLES),
        minimum_request_length: bytes(PERIOD_SAMPLES),
        // What came too late is left out, so that a want does not make what follows late.
        pre_buffering: 0,
        ..BufferAttr::default()
    };
    let params = PlaybackStreamParams {
        sample_spec: form(),
        channel_map: ChannelMap::mono(),
        sink_index: id.map(|_| card.index),
        buffer_attr: attributes,
        flags: flags(),
        props: props(),
        ..PlaybackStreamParams::default()
    };
    let stream: CreatePlaybackStreamReply = server
        .ask(&Command::CreatePlaybackStream(params))
        .map_err(&refused)?;
    let (wire, hangup) = server.listen().map_err(&refused)?;
    let wanted_bytes = stream.requested_bytes as usize;
    let loudspeaker = Loudspeaker::new(wire, stream.channel, wanted_bytes, watch);
    Ok(opened(Box::new(loudspeaker), card, hangup))
}

fn reach(id: Option<&str>, kind: DeviceKind) -> Result<(Connection, Card), AudioError> {
    let no_system = |trouble: Trouble| AudioError::NoSystem {
        reason: trouble.to_string(),
    };
    let mut server = Connection::open().map_err(no_system)?;
    let found = find(&mut server, id, kind);
    let card = found.map_err(|trouble| match (trouble, id) {
        (Trouble::NoSuchCard, Some(id)) => AudioError::UnknownDevice {
            kind,
            id: id.to_owned(),
        },
        (Trouble::NoSuchCard, None) => AudioError::NoDevice { kind },
        (trouble, _) => no_system(trouble),
    })?;
    Ok((server, card))
}

fn opened<R>(end: R, card: Card, hangup: Hangup) -> Opened<R> {
    Opened {
        end,
        name: card.name,
        stream: Box::new(hangup),
    }
}

fn refusal(kind: DeviceKind, name: &str) -> impl Fn(Trouble) -> AudioError + use<> {
    let name = name.to_owned();
    move |trouble| AudioError::Refused {
        kind,
        name: name.clone(),
        reason: trouble.to_string(),
    }
}

fn form() -> SampleSpec {
    SampleSpec {
        format: SampleFormat::S16Le,
        channels: 1,
        sample_rate: SAMPLE_RATE_HZ,
    }
}

/// The server makes its own part of the delay fit what the stream asks for.
fn flags() -> StreamFlags {
    StreamFlags {
        adjust_latency: true,
        ..StreamFlags::default()
    }
}

/// The system lowers music for a stream of this role, and takes a headset's own microphone.
fn props() -> Props {
    let mut props = Props::new();
    props.set(Prop::MediaName, STREAM_NAME);
    props.set(Prop::MediaRole, c"phone");
    props
}
