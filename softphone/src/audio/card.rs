//! One open sound card: a thread that owns the stream, and a ring to the media session.
//!
//! Starting a stream may block until the first sound arrives, up to seconds on some systems, so
//! nobody waits for it: a card that has not started gives silence. Only that the system accepts
//! the card is waited for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{
    BufferSize, FromSample, SampleFormat, SizedSample, Stream, StreamConfig, SupportedBufferSize,
    SupportedStreamConfig, SupportedStreamConfigRange,
};
use media::{Frame, SAMPLE_RATE_HZ};
use media_io::ring::{self, RingSink, RingSource};
use media_io::{AudioSink, AudioSource};
use tracing::{debug, warn};

use super::callback::{CaptureCallback, PlaybackCallback};
use super::device::{find, name_of};
use super::{AudioError, DeviceKind};

/// Length of a period in samples at 48 kHz: 10 ms. Never left to the system, which may choose two
/// seconds.
const PERIOD_FRAMES: u32 = 480;
/// How long the system may take to accept a card.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// A microphone in use. Dropping it closes the card.
pub struct CardSource {
    ring: RingSource,
    card: OpenCard,
}

/// A loudspeaker in use. Dropping it closes the card.
pub struct CardSink {
    ring: RingSink,
    card: OpenCard,
}

/// Keeps the stream's thread.
struct OpenCard {
    /// Closed by dropping, which ends the thread.
    _close: Sender<()>,
    name: String,
}

/// Opens a microphone: the one with this id, or the system's choice.
///
/// Blocks for a moment, at most some seconds.
///
/// # Errors
///
/// [`AudioError`], which reads as a sentence.
pub fn open_capture(id: Option<&str>) -> Result<CardSource, AudioError> {
    let (ring, card) = open(id, DeviceKind::Microphone, |device, name| {
        let supported = choose(
            device.supported_input_configs(),
            device.default_input_config(),
            DeviceKind::Microphone,
            name,
        )?;
        let refused = refusal(DeviceKind::Microphone, name);
        let (end, ring) =
            ring::capture_ring(supported.sample_rate()).map_err(|error| refused(&error))?;
        let callback = CaptureCallback {
            ring: end,
            channels: usize::from(supported.channels()),
        };
        let stream =
            build_capture(device, &supported, callback).map_err(|error| refused(&error))?;
        Ok((ring, stream))
    })?;
    Ok(CardSource { ring, card })
}

/// Opens a loudspeaker: the one with this id, or the system's choice.
///
/// Blocks for a moment, at most some seconds.
///
/// # Errors
///
/// [`AudioError`], which reads as a sentence.
pub fn open_playback(id: Option<&str>) -> Result<CardSink, AudioError> {
    let (ring, card) = open(id, DeviceKind::Loudspeaker, |device, name| {
        let supported = choose(
            device.supported_output_configs(),
            device.default_output_config(),
            DeviceKind::Loudspeaker,
            name,
        )?;
        let refused = refusal(DeviceKind::Loudspeaker, name);
        let (ring, end) =
            ring::playback_ring(supported.sample_rate()).map_err(|error| refused(&error))?;
        let callback = PlaybackCallback {
            ring: end,
            channels: usize::from(supported.channels()),
        };
        let stream =
            build_playback(device, &supported, callback).map_err(|error| refused(&error))?;
        Ok((ring, stream))
    })?;
    Ok(CardSink { ring, card })
}

impl CardSource {
    /// The card's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.card.name
    }
}

impl AudioSource for CardSource {
    fn frames_due(&mut self, passed: usize) -> usize {
        self.ring.frames_due(passed)
    }

    fn read(&mut self, frame: &mut Frame) {
        self.ring.read(frame);
    }

    fn discard(&mut self) {
        self.ring.discard();
    }
}

impl CardSink {
    /// The card's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.card.name
    }
}

impl AudioSink for CardSink {
    fn frames_due(&mut self, passed: usize) -> usize {
        self.ring.frames_due(passed)
    }

    fn write(&mut self, frame: &Frame) {
        self.ring.write(frame);
    }
}

/// What a builder gives: the session's end of the ring and the stream.
type Built<R> = Result<(R, Stream), AudioError>;

/// Runs `build` on a new thread that then keeps the stream until it is closed.
fn open<R: Send + 'static>(
    id: Option<&str>,
    kind: DeviceKind,
    build: impl FnOnce(&cpal::Device, &str) -> Built<R> + Send + 'static,
) -> Result<(R, OpenCard), AudioError> {
    let id = id.map(str::to_owned);
    let (report, reported) = channel();
    let (close, closed) = channel();
    let run = move || {
        let built = find(id.as_deref(), kind).and_then(|device| {
            let name = name_of(&device);
            build(&device, &name).map(|built| (name, built))
        });
        match built {
            Err(error) => drop(report.send(Err(error))),
            Ok((name, (ring, stream))) => {
                if report.send(Ok((ring, name))).is_ok() {
                    keep(&stream, kind, &closed);
                }
            }
        }
    };
    let spawned = std::thread::Builder::new()
        .name(format!("sound-{kind}"))
        .spawn(run);
    spawned.map_err(|error| AudioError::NoSystem {
        reason: error.to_string(),
    })?;
    let outcome = reported
        .recv_timeout(OPEN_TIMEOUT)
        .map_err(|_| AudioError::TimedOut { kind })?;
    let (ring, name) = outcome?;
    Ok((
        ring,
        OpenCard {
            _close: close,
            name,
        },
    ))
}

/// Starts the stream and waits until nobody wants it any more.
fn keep(stream: &Stream, kind: DeviceKind, closed: &Receiver<()>) {
    if let Err(error) = stream.play() {
        warn!(%error, %kind, "a sound card does not start");
    }
    // Nothing is ever sent: this ends when the other side is dropped.
    let _ = closed.recv();
}

fn refusal(kind: DeviceKind, name: &str) -> impl Fn(&dyn std::fmt::Display) -> AudioError {
    let name = name.to_owned();
    move |error| AudioError::Refused {
        kind,
        name: name.clone(),
        reason: error.to_string(),
    }
}

/// The form closest to what a call needs: 48 kHz, few channels, 16 bits; else the card's own.
fn choose(
    ranges: Result<impl Iterator<Item = SupportedStreamConfigRange>, cpal::Error>,
    default: Result<SupportedStreamConfig, cpal::Error>,
    kind: DeviceKind,
    name: &str,
) -> Result<SupportedStreamConfig, AudioError> {
    let refused = refusal(kind, name);
    let best = ranges
        .map_err(|error| refused(&error))?
        .filter(|range| format_rank(range.sample_format()).is_some())
        .filter_map(|range| range.try_with_sample_rate(SAMPLE_RATE_HZ))
        .min_by_key(|config| (config.channels(), format_rank(config.sample_format())));
    match best {
        Some(config) => Ok(config),
        None => default.map_err(|error| refused(&error)),
    }
}

/// Formats that are understood, best first.
fn format_rank(format: SampleFormat) -> Option<u8> {
    match format {
        SampleFormat::I16 => Some(0),
        SampleFormat::F32 => Some(1),
        SampleFormat::I32 => Some(2),
        SampleFormat::U8 => Some(3),
        _ => None,
    }
}

fn stream_config(supported: &SupportedStreamConfig) -> StreamConfig {
    let period = PERIOD_FRAMES * supported.sample_rate() / SAMPLE_RATE_HZ;
    let period = match *supported.buffer_size() {
        SupportedBufferSize::Range { min, max } => period.clamp(min, max.max(min)),
        SupportedBufferSize::Unknown => period,
    };
    StreamConfig {
        buffer_size: BufferSize::Fixed(period),
        ..supported.config()
    }
}

fn build_capture(
    device: &cpal::Device,
    supported: &SupportedStreamConfig,
    callback: CaptureCallback,
) -> Result<Stream, cpal::Error> {
    let config = stream_config(supported);
    match supported.sample_format() {
        SampleFormat::I16 => capture_as::<i16>(device, config, callback),
        SampleFormat::F32 => capture_as::<f32>(device, config, callback),
        SampleFormat::I32 => capture_as::<i32>(device, config, callback),
        SampleFormat::U8 => capture_as::<u8>(device, config, callback),
        _ => Err(cpal::ErrorKind::UnsupportedConfig.into()),
    }
}

fn capture_as<T>(
    device: &cpal::Device,
    config: StreamConfig,
    mut callback: CaptureCallback,
) -> Result<Stream, cpal::Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let take = move |period: &[T], _: &cpal::InputCallbackInfo| callback.take(period);
    device.build_input_stream(
        config,
        take,
        report_once(DeviceKind::Microphone),
        Some(OPEN_TIMEOUT),
    )
}

fn build_playback(
    device: &cpal::Device,
    supported: &SupportedStreamConfig,
    callback: PlaybackCallback,
) -> Result<Stream, cpal::Error> {
    let config = stream_config(supported);
    match supported.sample_format() {
        SampleFormat::I16 => playback_as::<i16>(device, config, callback),
        SampleFormat::F32 => playback_as::<f32>(device, config, callback),
        SampleFormat::I32 => playback_as::<i32>(device, config, callback),
        SampleFormat::U8 => playback_as::<u8>(device, config, callback),
        _ => Err(cpal::ErrorKind::UnsupportedConfig.into()),
    }
}

fn playback_as<T>(
    device: &cpal::Device,
    config: StreamConfig,
    mut callback: PlaybackCallback,
) -> Result<Stream, cpal::Error>
where
    T: SizedSample + FromSample<i16>,
{
    let fill = move |period: &mut [T], _: &cpal::OutputCallbackInfo| callback.fill(period);
    device.build_output_stream(
        config,
        fill,
        report_once(DeviceKind::Loudspeaker),
        Some(OPEN_TIMEOUT),
    )
}

/// Some systems repeat an error hundreds of times a second: the first of each stream is told, the
/// others are for the curious.
fn report_once(kind: DeviceKind) -> impl FnMut(cpal::Error) + Send + 'static {
    let has_told = AtomicBool::new(false);
    move |error| {
        if has_told.swap(true, Ordering::Relaxed) {
            debug!(%error, %kind, "sound card");
        } else {
            warn!(%error, %kind, "a sound card reports a problem");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(
        channels: u16,
        rates: (u32, u32),
        sample_format: SampleFormat,
    ) -> SupportedStreamConfigRange {
        SupportedStreamConfigRange::new(
            channels,
            rates.0,
            rates.1,
            SupportedBufferSize::Range {
                min: 64,
                max: 8_192,
            },
            sample_format,
        )
    }

    fn chosen(
        ranges: Vec<SupportedStreamConfigRange>,
    ) -> Result<SupportedStreamConfig, AudioError> {
        choose(
            Ok(ranges.into_iter()),
            Err(cpal::ErrorKind::DeviceNotAvailable.into()),
            DeviceKind::Microphone,
            "Mic",
        )
    }

    #[test]
    fn the_form_closest_to_a_call_is_chosen() {
        let config = chosen(vec![
            range(2, (44_100, 96_000), SampleFormat::I16),
            range(1, (8_000, 96_000), SampleFormat::F32),
            range(1, (48_000, 48_000), SampleFormat::I16),
            range(1, (8_000, 16_000), SampleFormat::I16),
        ])
        .unwrap();
        assert_eq!(
            (
                config.channels(),
                config.sample_rate(),
                config.sample_format()
            ),
            (1, 48_000, SampleFormat::I16)
        );
    }

    #[test]
    fn a_card_without_48_khz_is_used_at_its_own_rate() {
        let own = range(2, (44_100, 44_100), SampleFormat::I16).with_max_sample_rate();
        let ranges = vec![range(2, (44_100, 44_100), SampleFormat::I16)];
        let config = choose(
            Ok(ranges.into_iter()),
            Ok(own),
            DeviceKind::Loudspeaker,
            "Card",
        )
        .unwrap();
        assert_eq!(config.sample_rate(), 44_100);
        assert_eq!(stream_config(&config).buffer_size, BufferSize::Fixed(441));
    }

    #[test]
    fn a_card_that_vanished_is_said_in_plain_words() {
        let error = chosen(Vec::new()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("the microphone \"Mic\" cannot be used"),
            "{error}"
        );
    }

    #[test]
    fn the_period_is_never_left_to_the_system_and_stays_in_its_bounds() {
        let small = SupportedStreamConfig::new(
            1,
            48_000,
            SupportedBufferSize::Range { min: 16, max: 256 },
            SampleFormat::I16,
        );
        assert_eq!(stream_config(&small).buffer_size, BufferSize::Fixed(256));
        let unknown =
            SupportedStreamConfig::new(1, 48_000, SupportedBufferSize::Unknown, SampleFormat::I16);
        assert_eq!(stream_config(&unknown).buffer_size, BufferSize::Fixed(480));
    }

    #[test]
    fn an_unknown_card_is_refused_at_once() {
        let Err(error) = open_capture(Some("nonsense")) else {
            panic!("opened a card that is not there")
        };
        assert_eq!(
            error,
            AudioError::UnknownDevice {
                kind: DeviceKind::Microphone,
                id: "nonsense".to_owned()
            }
        );
        assert!(open_playback(Some("nonsense")).is_err());
    }
}
