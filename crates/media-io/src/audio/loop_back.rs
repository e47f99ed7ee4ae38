//! A loop-back: what the other side says is what it hears.

use super::ring::{RingSink, RingSource};

/// Sound that may wait in the loop: 200 ms.
const CAPACITY_SAMPLES: usize = 9_600;

/// A sink and the source that gives back what the sink took, up to two frames later.
#[must_use]
pub fn loop_back() -> (RingSink, RingSource) {
    let (producer, consumer) = rtrb::RingBuffer::new(CAPACITY_SAMPLES);
    (
        RingSink::paced_by_session(producer),
        RingSource::paced_by_session(consumer),
    )
}

#[cfg(test)]
mod tests {
    use media::SILENCE;

    use super::*;
    use crate::{AudioSink, AudioSource};

    #[test]
    fn what_goes_in_comes_out() {
        let (mut sink, mut source) = loop_back();
        for n in 1..50_i16 {
            assert_eq!((sink.frames_due(1), source.frames_due(1)), (1, 1));
            sink.write(&[n; 480]);
            let mut frame = SILENCE;
            source.read(&mut frame);
            assert_eq!(frame, [n; 480]);
        }
    }
}
