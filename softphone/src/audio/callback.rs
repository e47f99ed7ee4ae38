//! What runs on the sound card's real-time threads: no lock, no allocation, no log (invariant I8).
//!
//! Cards speak many sample formats and numbers of channels; the ring holds 16-bit mono at the
//! card's rate. Several channels are averaged when captured, and all get the same when played.

use cpal::{FromSample, Sample, SizedSample};
use media_io::ring::{CaptureEnd, PlaybackEnd};

/// Moves captured sound into a ring.
pub(super) struct CaptureCallback {
    pub(super) ring: CaptureEnd,
    pub(super) channels: usize,
}

impl CaptureCallback {
    /// One period of interleaved samples.
    pub(super) fn take<T>(&mut self, period: &[T])
    where
        T: SizedSample,
        f32: FromSample<T>,
    {
        for frame in period.chunks_exact(self.channels) {
            let mut sum = 0.0_f32;
            let mut count = 0.0_f32;
            for &sample in frame {
                sum += f32::from_sample(sample);
                count += 1.0;
            }
            self.ring.push(i16::from_sample(sum / count));
        }
    }
}

/// Moves sound out of a ring to be played.
pub(super) struct PlaybackCallback {
    pub(super) ring: PlaybackEnd,
    pub(super) channels: usize,
}

impl PlaybackCallback {
    /// Fills one period of interleaved samples, with silence where there is nothing.
    pub(super) fn fill<T>(&mut self, period: &mut [T])
    where
        T: SizedSample + FromSample<i16>,
    {
        for frame in period.chunks_mut(self.channels) {
            let value = self.ring.pop();
            frame.fill(value.map_or(T::EQUILIBRIUM, T::from_sample));
        }
    }
}

#[cfg(test)]
pub(super) mod counting {
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::cell::Cell;

    /// Counts what the present thread allocates and frees.
    struct Counting;

    thread_local! {
        static COUNT: Cell<u64> = const { Cell::new(0) };
    }

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;

    #[expect(
        unsafe_code,
        reason = "an allocator cannot be counted otherwise; it only passes on"
    )]
    // SAFETY: every call goes to the system's allocator unchanged.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let _ = COUNT.try_with(|count| count.set(count.get() + 1));
            // SAFETY: the caller's promises are passed on.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
            let _ = COUNT.try_with(|count| count.set(count.get() + 1));
            // SAFETY: the caller's promises are passed on.
            unsafe { System.dealloc(pointer, layout) }
        }
    }

    /// What `of` allocates and frees on this thread.
    pub(in crate::audio) fn allocations(of: impl FnOnce()) -> u64 {
        let before = COUNT.with(Cell::get);
        of();
        COUNT.with(Cell::get) - before
    }
}

#[cfg(test)]
mod tests {
    use rtrb::RingBuffer;

    use super::counting::allocations;
    use super::*;

    fn callbacks(channels: usize) -> (CaptureCallback, PlaybackCallback) {
        let (producer, consumer) = RingBuffer::new(960);
        (
            CaptureCallback {
                ring: CaptureEnd::new(producer),
                channels,
            },
            PlaybackCallback {
                ring: PlaybackEnd::new(consumer),
                channels,
            },
        )
    }

    #[test]
    fn the_counting_allocator_counts() {
        assert!(allocations(|| drop(std::hint::black_box(vec![1_u8; 10]))) >= 2);
    }

    #[test]
    fn callbacks_neither_allocate_nor_free_even_when_the_ring_is_full_or_empty_i8() {
        let (mut capture, mut playback) = callbacks(2);
        let (mut floats, mut integers) = ([0.25_f32; 960], [1_i16; 960]);
        let counted = allocations(|| {
            for _ in 0..10 {
                capture.take(&floats);
                capture.take(&integers);
            }
            for _ in 0..10 {
                playback.fill(&mut floats);
                playback.fill(&mut integers);
            }
        });
        assert_eq!(counted, 0);
        assert!(capture.ring.lost() > 0 && playback.ring.missed() > 0);
    }

    #[test]
    fn channels_are_averaged_when_captured_and_filled_alike_when_played() {
        let (mut capture, mut playback) = callbacks(2);
        capture.take(&[1_000_i16, 3_000, -500, -500]);
        let mut heard = [9_i16; 6];
        playback.fill(&mut heard);
        assert_eq!(heard, [2_000, 2_000, -500, -500, 0, 0]);
        assert_eq!(playback.ring.missed(), 1);
    }

    #[test]
    fn every_sample_format_keeps_its_loudness() {
        let (mut capture, mut playback) = callbacks(1);
        capture.take(&[0.5_f32]);
        capture.take(&[i32::MAX / 2]);
        capture.take(&[192_u8]);
        let mut heard = [0.0_f32; 3];
        playback.fill(&mut heard);
        for value in heard {
            assert!((value - 0.5).abs() < 0.01, "{heard:?}");
        }
    }

    #[test]
    fn a_wave_of_both_directions_stays_the_same() {
        let (mut capture, mut playback) = callbacks(1);
        let wave: Vec<i16> = (0..480)
            .map(|n| i16::try_from((n * 137) % 60_000 - 30_000).unwrap())
            .collect();
        capture.take(&wave);
        let mut heard = vec![0_i16; 480];
        playback.fill(&mut heard);
        assert!(wave.iter().zip(&heard).all(|(a, b)| a.abs_diff(*b) <= 1));
    }
}
