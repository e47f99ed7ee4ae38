//! One stream of a card, in the form closest to what a call needs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{
    BufferSize, ErrorKind, FromSample, SampleFormat, SizedSample, Stream, StreamConfig,
    SupportedBufferSize, SupportedStreamConfig, SupportedStreamConfigRange,
};
use media::SAMPLE_RATE_HZ;
use media_io::ring;
use media_io::{AudioSink, AudioSource};
use tracing::{debug, warn};

use super::list::{find, name_of};
use super::quiet::quietly;
use crate::audio::callback::{CaptureCallback, PlaybackCallback};
use crate::audio::keeper::{Opened, Watch};
use crate::audio::{AudioError, DeviceKind};

/// Length of a period in samples at 48 kHz: 10 ms. Never left to the system, which may choose
/// seconds.
const PERIOD_FRAMES: u32 = 480;
const PERIOD_MS: u32 = 10;
/// How long the system may take to accept a card.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens a microphone: the one with this id, or the system's choice. Blocks.
pub(in crate::audio) fn open_microphone(
    id: Option<&str>,
    watch: Watch,
) -> Result<Opened<Box<dyn AudioSource>>, AudioError> {
    quietly(|| capture(id, watch))
}

fn capture(id: Option<&str>, watch: Watch) -> Result<Opened<Box<dyn AudioSource>>, AudioError> {
    let kind = DeviceKind::Microphone;
    let device = find(id, kind)?;
    let name = name_of(&device);
    let supported = choose(
        device.supported_input_configs(),
        device.default_input_config(),
    )
    .map_err(|error| unusable(id, kind, &name, &error))?;
    let refused = refusal(kind, &name);
    let (end, ring) =
        ring::capture_ring(supported.sample_rate()).map_err(|error| refused(&error))?;
    let callback = CaptureCallback {
        ring: end,
        channels: usize::from(supported.channels()),
    };
    let stream =
        build_capture(&device, &supported, callback, watch).map_err(|error| refused(&error))?;
    stream.play().map_err(|error| refused(&error))?;
    Ok(opened(Box::new(ring), name, stream))
}

/// Opens a loudspeaker: the one with this id, or the system's choice. Blocks.
pub(in crate::audio) fn open_loudspeaker(
    id: Option<&str>,
    watch: Watch,
) -> Result<Opened<Box<dyn AudioSink>>, AudioError> {
    quietly(|| playback(id, watch))
}

fn playback(id: Option<&str>, watch: Watch) -> Result<Opened<Box<dyn AudioSink>>, AudioError> {
    let kind = DeviceKind::Loudspeaker;
    let device = find(id, kind)?;
    let name = name_of(&device);
    let supported = choose(
        device.supported_output_configs(),
        device.default_output_config(),
    )
    .map_err(|error| unusable(id, kind, &name, &error))?;
    let refused = refusal(kind, &name);
    let (ring, end) =
        ring::playback_ring(supported.sample_rate(), PERIOD_MS).map_err(|error| refused(&error))?;
    let callback = PlaybackCallback {
        ring: end,
        channels: usize::from(supported.channels()),
    };
    let stream =
        build_playback(&device, &supported, callback, watch).map_err(|error| refused(&error))?;
    stream.play().map_err(|error| refused(&error))?;
    Ok(opened(Box::new(ring), name, stream))
}

fn opened<R>(end: R, name: String, stream: Stream) -> Opened<R> {
    Opened {
        end,
        name,
        stream: Box::new(stream),
    }
}

fn refusal(kind: DeviceKind, name: &str) -> impl Fn(&dyn std::fmt::Display) -> AudioError + use<> {
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
) -> Result<SupportedStreamConfig, cpal::Error> {
    let best = ranges?
        .filter(|range| format_rank(range.sample_format()).is_some())
        .filter_map(|range| range.try_with_sample_rate(SAMPLE_RATE_HZ))
        .min_by_key(|config| (config.channels(), format_rank(config.sample_format())));
    best.map_or(default, Ok)
}

/// ALSA always has a usual card; without any real one it is not available.
fn unusable(id: Option<&str>, kind: DeviceKind, name: &str, error: &cpal::Error) -> AudioError {
    match (id, error.kind()) {
        (None, ErrorKind::DeviceNotAvailable) => AudioError::NoDevice { kind },
        _ => refusal(kind, name)(error),
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
    watch: Watch,
) -> Result<Stream, cpal::Error> {
    let config = stream_config(supported);
    match supported.sample_format() {
        SampleFormat::I16 => capture_as::<i16>(device, config, callback, watch),
        SampleFormat::F32 => capture_as::<f32>(device, config, callback, watch),
        SampleFormat::I32 => capture_as::<i32>(device, config, callback, watch),
        SampleFormat::U8 => capture_as::<u8>(device, config, callback, watch),
        _ => Err(ErrorKind::UnsupportedConfig.into()),
    }
}

fn capture_as<T>(
    device: &cpal::Device,
    config: StreamConfig,
    mut callback: CaptureCallback,
    watch: Watch,
) -> Result<Stream, cpal::Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let take = move |period: &[T], _: &cpal::InputCallbackInfo| callback.take(period);
    device.build_input_stream(
        config,
        take,
        report(DeviceKind::Microphone, watch),
        Some(OPEN_TIMEOUT),
    )
}

fn build_playback(
    device: &cpal::Device,
    supported: &SupportedStreamConfig,
    callback: PlaybackCallback,
    watch: Watch,
) -> Result<Stream, cpal::Error> {
    let config = stream_config(supported);
    match supported.sample_format() {
        SampleFormat::I16 => playback_as::<i16>(device, config, callback, watch),
        SampleFormat::F32 => playback_as::<f32>(device, config, callback, watch),
        SampleFormat::I32 => playback_as::<i32>(device, config, callback, watch),
        SampleFormat::U8 => playback_as::<u8>(device, config, callback, watch),
        _ => Err(ErrorKind::UnsupportedConfig.into()),
    }
}

fn playback_as<T>(
    device: &cpal::Device,
    config: StreamConfig,
    mut callback: PlaybackCallback,
    watch: Watch,
) -> Result<Stream, cpal::Error>
where
    T: SizedSample + FromSample<i16>,
{
    let fill = move |period: &mut [T], _: &cpal::OutputCallbackInfo| callback.fill(period);
    device.build_output_stream(
        config,
        fill,
        report(DeviceKind::Loudspeaker, watch),
        Some(OPEN_TIMEOUT),
    )
}

/// Some systems repeat an error hundreds of times a second: the first of each stream is told, the
/// others are for the curious. A card that is gone ends the stream. It is told on the stream's own
/// thread, which prints nothing more after that.
fn report(kind: DeviceKind, watch: Watch) -> impl FnMut(cpal::Error) + Send + 'static {
    let (has_told, has_ended) = (AtomicBool::new(false), AtomicBool::new(false));
    let tell = move |error: cpal::Error| {
        let is_gone = matches!(
            error.kind(),
            ErrorKind::DeviceNotAvailable
                | ErrorKind::StreamInvalidated
                | ErrorKind::HostUnavailable
        );
        if is_gone {
            if !has_ended.swap(true, Ordering::Relaxed) {
                watch.ended(error.to_string());
            }
        } else if has_told.swap(true, Ordering::Relaxed) {
            debug!(%error, %kind, "sound card");
        } else {
            warn!(%error, %kind, "a sound card reports a problem");
        }
    };
    move |error| quietly(|| tell(error))
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
    ) -> Result<SupportedStreamConfig, cpal::Error> {
        choose(
            Ok(ranges.into_iter()),
            Err(ErrorKind::DeviceNotAvailable.into()),
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
        let config = choose(Ok(ranges.into_iter()), Ok(own)).unwrap();
        assert_eq!(config.sample_rate(), 44_100);
        assert_eq!(stream_config(&config).buffer_size, BufferSize::Fixed(441));
    }

    #[test]
    fn a_card_that_vanished_is_said_in_plain_words() {
        let error = chosen(Vec::new()).unwrap_err();
        let said = |id| unusable(id, DeviceKind::Microphone, "Mic", &error).to_string();
        let chosen = said(Some("alsa:hw:CARD=Mic"));
        assert!(
            chosen.starts_with("the microphone \"Mic\" cannot be used"),
            "{chosen}"
        );
        assert_eq!(said(None), "no sound card: this system has no microphone");
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
}
