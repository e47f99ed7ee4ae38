//! The block of sound that everything at the border of this crate passes on.

use std::time::Duration;

/// Rate of every frame, in Hz.
pub const SAMPLE_RATE_HZ: u32 = 48_000;

/// Samples in one frame: 10 ms, mono.
pub const FRAME_SAMPLES: usize = 480;

/// How long one frame lasts, and so how often a session is asked for one.
pub const FRAME_DURATION: Duration = Duration::from_millis(10);

/// 10 ms of sound: mono, 48 kHz, signed 16 bit.
pub type Frame = [i16; FRAME_SAMPLES];

/// A frame in which nothing is heard.
pub const SILENCE: Frame = [0; FRAME_SAMPLES];

/// Nearest 16-bit sample to `value`, where ±1.0 is full scale; louder is clipped.
#[must_use]
pub fn sample_from_unit(value: f32) -> i16 {
    sample_from_f32(value * 32_768.0)
}

/// Nearest 16-bit sample to `value`, where ±32768.0 is full scale; louder is clipped.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the conversion clips; NaN becomes 0"
)]
pub fn sample_from_f32(value: f32) -> i16 {
    // Cuts off the fraction, and clips. `round` would be a call for each sample.
    (value + 0.5_f32.copysign(value)) as i16
}

/// Length of `ticks` of a clock, in milliseconds.
#[must_use]
pub fn ticks_to_ms(ticks: u32, clock_rate_hz: u32) -> f64 {
    f64::from(ticks) * 1_000.0 / f64::from(clock_rate_hz.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loud_values_are_clipped_and_do_not_wrap() {
        assert_eq!(sample_from_unit(2.0), i16::MAX);
        assert_eq!(sample_from_unit(-2.0), i16::MIN);
        assert_eq!(sample_from_f32(f32::NAN), 0);
        assert_eq!(sample_from_f32(0.6), 1);
    }
}
