//! How loud a block is, for meters (as RFC 6464 counts: decibels below full scale).

/// The level of silence, and the lowest that is told.
pub const SILENCE_DBFS: f32 = -127.0;

/// Root mean square of a block in decibels relative to full scale: 0 is the loudest, -127 silence.
#[must_use]
pub fn level_dbfs(samples: &[i16]) -> f32 {
    let mut energy = 0.0_f32;
    let mut count = 0.0_f32;
    for &sample in samples {
        let value = f32::from(sample) / 32_768.0;
        energy += value * value;
        count += 1.0;
    }
    if energy == 0.0 {
        return SILENCE_DBFS;
    }
    (10.0 * (energy / count).log10()).clamp(SILENCE_DBFS, 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::Tone;

    #[test]
    fn a_sine_is_3_db_below_its_peak_and_silence_is_the_floor() {
        let mut samples = [0; 4_800];
        Tone::new(1_000.0, 48_000, 0.5).fill(&mut samples);
        assert!(
            (level_dbfs(&samples) + 9.03).abs() < 0.05,
            "{}",
            level_dbfs(&samples)
        );
        assert_eq!(level_dbfs(&[0; 960]), SILENCE_DBFS);
        assert_eq!(level_dbfs(&[]), SILENCE_DBFS);
        assert!(level_dbfs(&[i16::MIN; 960]) <= 0.0);
    }
}
