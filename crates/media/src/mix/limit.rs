//! Soft limiter: any sum becomes 16 bits.
//!
//! A curve without memory: up to the knee samples stay as they are, to the bit; above, the curve
//! bends with an even slope and comes near full scale but never passes it. Without memory there is
//! nothing that could pump, and the greatest distortion is that of clipping, only softer.

use super::Sums;
use crate::frame::Frame;

/// 2 dB below full scale.
const KNEE: i32 = 26_028;
/// Room between the knee and full scale.
const ROOM: i32 = 32_767 - KNEE;

pub(super) fn limit(sums: &Sums, out: &mut Frame) {
    let is_loud = sums
        .iter()
        .any(|sum| sum.unsigned_abs() > KNEE.unsigned_abs());
    for (out, &sum) in out.iter_mut().zip(sums) {
        *out = narrow(if is_loud { bend(sum) } else { sum });
    }
}

fn bend(sum: i32) -> i32 {
    let above = sum.saturating_abs() - KNEE;
    if above <= 0 {
        return sum;
    }
    let bent = i64::from(above) * i64::from(ROOM) / i64::from(above + ROOM);
    let loud = KNEE + i32::try_from(bent).unwrap_or(ROOM);
    if sum < 0 { -loud } else { loud }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the curve stays within 16 bits"
)]
fn narrow(sum: i32) -> i16 {
    sum as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_exact_below_the_knee_rises_everywhere_and_never_wraps() {
        let mut last = i32::MIN;
        for sum in (-9_000_000..9_000_000).step_by(7) {
            let bent = bend(sum);
            assert!(bent >= last && bent.abs() <= 32_767, "{sum} became {bent}");
            assert!(sum.abs() > KNEE || bent == sum);
            last = bent;
        }
        assert_eq!(bend(-500_000), -bend(500_000));
        assert!(bend(KNEE + 10) >= KNEE + 9, "no corner at the knee");
    }
}
