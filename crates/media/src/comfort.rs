//! Comfort noise of our own: what a muted microphone sends in place of its sound, as loud as the room is when nobody talks.
//!
//! The level follows the softest of what was captured, as RFC 3389 section 3 asks of the level that it carries; the spectrum
//! is that of quiet rooms, falling with the frequency. Nothing that was said can be heard in it.

use crate::frame::{Frame, sample_from_unit};

/// The level rises by this for each frame, 1 dB in a second, and falls at once.
const RISE: f32 = 1.001_15;
/// Bounds of the level: what is softer is not heard, what is louder is no noise floor any more. Root mean square of -75 and
/// -45 dB below full scale.
const LEVEL: std::ops::RangeInclusive<f32> = 0.000_178..=0.005_6;
/// Level before anything was captured: -65 dB.
const FIRST_LEVEL: f32 = 0.000_56;
/// Share of a sample that goes on into the next: a low-pass at about 700 Hz.
const COLOUR: f32 = 0.91;

/// See the module header.
pub(crate) struct RoomNoise {
    level: f32,
    random: u32,
    last: f32,
}

impl RoomNoise {
    pub(crate) fn new() -> Self {
        Self {
            level: FIRST_LEVEL,
            random: 1,
            last: 0.0,
        }
    }

    /// Learns the level of the room; asked for every captured frame, whoever hears it.
    pub(crate) fn listen(&mut self, captured: &Frame) {
        let energy: f32 = captured
            .iter()
            .map(|&sample| (f32::from(sample) / 32_768.0).powi(2))
            .sum();
        let level = (energy / captured.len() as f32).sqrt();
        // A card that gives nothing at all tells nothing about the room.
        if level > 0.0 {
            self.level = level
                .min(self.level * RISE)
                .clamp(*LEVEL.start(), *LEVEL.end());
        }
    }

    /// The noise of the room.
    pub(crate) fn frame(&mut self) -> Frame {
        // Evenly spread over ±1 the variance is 1/3, and the low-pass leaves (1-c)/(1+c) of it.
        let kept = ((1.0 - COLOUR) / (1.0 + COLOUR) / 3.0).sqrt();
        let gain = self.level / kept;
        std::array::from_fn(|_| {
            self.last = COLOUR * self.last + (1.0 - COLOUR) * self.next();
            sample_from_unit(gain * self.last)
        })
    }

    /// Evenly spread between -1 and 1: the upper bits of a linear congruential generator.
    fn next(&mut self) -> f32 {
        self.random = self
            .random
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        let bits = u16::try_from(self.random >> 16).unwrap_or_default();
        f32::from(bits) / 32_767.5 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::level_dbfs;

    fn noise_at(level_db: f32) -> impl FnMut() -> Frame {
        let mut room = RoomNoise::new();
        room.level = 10_f32.powf(level_db / 20.0);
        move || room.frame()
    }

    fn heard(noise: &mut RoomNoise) -> f32 {
        let frames: Vec<i16> = (0..50).flat_map(|_| noise.frame()).collect();
        level_dbfs(&frames)
    }

    #[test]
    fn the_noise_is_as_loud_as_the_room_between_words() {
        for room_db in [-70.0, -60.0, -50.0] {
            let mut room = noise_at(room_db);
            let mut noise = RoomNoise::new();
            for n in 0..3_000 {
                // Somebody talks for two seconds of three.
                let frame = if n % 300 < 200 { [3_000; 480] } else { room() };
                noise.listen(&frame);
            }
            let level = heard(&mut noise);
            assert!((level - room_db).abs() < 3.0, "{level} for {room_db}");
        }
    }

    #[test]
    fn a_loud_or_a_dead_microphone_does_not_make_it_loud_or_silent() {
        let mut noise = RoomNoise::new();
        (0..60_000).for_each(|_| noise.listen(&[20_000; 480]));
        assert!(heard(&mut noise) < -44.0);
        let mut noise = RoomNoise::new();
        (0..60_000).for_each(|_| noise.listen(&[0; 480]));
        assert!((-68.0..-62.0).contains(&heard(&mut noise)));
    }
}
