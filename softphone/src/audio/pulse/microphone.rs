//! A call's microphone on the server: it is read whenever the call looks.

use std::collections::VecDeque;
use std::io::{Read, Write};

use media::{FRAME_SAMPLES, Frame};
use media_io::AudioSource;

use super::wire::{SAMPLE_BYTES, Said, Wire};
use crate::audio::keeper::Watch;

/// Captured sound that is kept when a call begins to listen: a packet, which can be sent at once.
const HEAD_START: usize = 2 * FRAME_SAMPLES;
/// More than this waits only if nobody has looked for a while; then it is old.
const MAX_WAITING: usize = 10 * FRAME_SAMPLES;
/// Most frames that one look gives.
const MAX_DUE: usize = 4;
/// Looks in a row without sound after which the call goes on at its own pace: 100 ms.
const MAX_STALLED_LOOKS: u32 = 20;

/// See the module header.
pub(super) struct Microphone<S> {
    wire: Wire<S>,
    channel: u32,
    /// Tells the keeper that the stream is over, once.
    watch: Option<Watch>,
    /// Captured and not read yet.
    store: VecDeque<i16>,
    /// Starts as if the card were dead: it may take its time.
    stalled_looks: u32,
    /// Whether the call has begun to listen.
    has_listened: bool,
}

impl<S: Read + Write> Microphone<S> {
    pub(super) fn new(wire: Wire<S>, channel: u32, watch: Watch) -> Self {
        Self {
            wire,
            channel,
            watch: Some(watch),
            store: VecDeque::with_capacity(2 * MAX_WAITING),
            stalled_looks: MAX_STALLED_LOOKS,
            has_listened: false,
        }
    }

    fn look(&mut self) {
        let Some(watch) = &self.watch else {
            return;
        };
        let (store, own) = (&mut self.store, self.channel);
        let mut is_killed = false;
        let end = self.wire.listen(|said| match said {
            Said::Sound(channel, sound) if channel == own => {
                let (samples, _) = sound.as_chunks::<SAMPLE_BYTES>();
                store.extend(samples.iter().map(|&bytes| i16::from_le_bytes(bytes)));
                if store.len() > MAX_WAITING {
                    forget_old(store);
                }
            }
            Said::Moved(id) => watch.moved(id),
            Said::Killed => is_killed = true,
            Said::Sound(..) | Said::Wants(..) | Said::Underflow => {}
        });
        let why = match end {
            _ if is_killed => "the card is gone".to_owned(),
            Err(error) => error.to_string(),
            Ok(()) => return,
        };
        watch.ended(why);
        self.watch = None;
    }
}

/// All but the very last.
fn forget_old(store: &mut VecDeque<i16>) {
    store.drain(..store.len().saturating_sub(HEAD_START));
}

impl<S: Read + Write + Send> AudioSource for Microphone<S> {
    fn frames_due(&mut self, passed: usize) -> usize {
        self.look();
        if !self.has_listened {
            self.has_listened = true;
            forget_old(&mut self.store);
        }
        let waiting = self.store.len() / FRAME_SAMPLES;
        if waiting == 0 {
            let is_dead = self.stalled_looks >= MAX_STALLED_LOOKS;
            self.stalled_looks = self.stalled_looks.saturating_add(1);
            return if is_dead { passed } else { 0 };
        }
        self.stalled_looks = 0;
        waiting.min(MAX_DUE)
    }

    fn read(&mut self, frame: &mut Frame) {
        let ready = self.store.len().min(FRAME_SAMPLES);
        for (sample, captured) in frame.iter_mut().zip(self.store.drain(..ready)) {
            *sample = captured;
        }
        frame[ready..].fill(0);
    }

    fn discard(&mut self) {
        self.look();
        if self.has_listened {
            self.store.clear();
        } else {
            forget_old(&mut self.store);
        }
    }
}

#[cfg(test)]
mod tests {
    use media::SILENCE;
    use pulseaudio::protocol::Command;

    use super::super::wire::tests::{Server, command, sound, wire};
    use super::*;
    use crate::audio::callback::counting::allocations;
    use crate::audio::keeper::Told;

    fn microphone() -> (Microphone<Server>, Told) {
        let (watch, told) = Watch::of_a_test();
        (Microphone::new(wire([]), 3, watch), told)
    }

    fn say(microphone: &mut Microphone<Server>, message: Vec<u8>) {
        microphone.wire.server().says.push_back(message);
    }

    fn read(microphone: &mut Microphone<Server>) -> Frame {
        let mut frame = SILENCE;
        microphone.read(&mut frame);
        frame
    }

    #[test]
    fn captured_sound_of_any_length_is_given_in_frames_and_that_of_others_is_not() {
        let (mut microphone, _told) = microphone();
        assert_eq!(microphone.frames_due(1), 1, "not started yet");
        assert_eq!(read(&mut microphone), SILENCE);
        let wave: Vec<i16> = (0..1_100).map(|n| n * 25 - 13_000).collect();
        say(&mut microphone, sound(4, &[9; 500]));
        say(&mut microphone, sound(3, &wave[..300]));
        say(&mut microphone, sound(3, &wave[300..]));
        let mut heard = Vec::new();
        for _ in 0..4 {
            for _ in 0..microphone.frames_due(0) {
                heard.extend(read(&mut microphone));
            }
        }
        assert_eq!(heard, wave[..960]);
    }

    #[test]
    fn of_what_was_captured_before_the_call_a_packet_is_left_and_nothing_after_a_hold() {
        let (mut microphone, _told) = microphone();
        for n in 0..40 {
            say(&mut microphone, sound(3, &[n; 240]));
            microphone.discard();
        }
        assert_eq!(microphone.frames_due(0), 2);
        assert_eq!(read(&mut microphone)[0], 36);
        read(&mut microphone);
        say(&mut microphone, sound(3, &[50; 960]));
        microphone.discard();
        assert_eq!(microphone.frames_due(0), 0);
    }

    #[test]
    fn what_waited_while_nobody_looked_is_old() {
        let (mut microphone, _told) = microphone();
        microphone.frames_due(0);
        (0..100).for_each(|n| say(&mut microphone, sound(3, &[n; 240])));
        let mut heard = Vec::new();
        for _ in 0..100 {
            for _ in 0..microphone.frames_due(0) {
                heard.push(read(&mut microphone)[0]);
            }
        }
        assert!(heard.contains(&98), "{heard:?}");
        let late = (0..100)
            .map(|n| sound(3, &[n; 240]))
            .collect::<Vec<_>>()
            .concat();
        say(&mut microphone, late);
        microphone.look();
        assert!(
            microphone.store.len() <= MAX_WAITING,
            "{}",
            microphone.store.len()
        );
    }

    #[test]
    fn a_card_that_is_gone_is_told_once_and_the_call_goes_on() {
        let (mut microphone, told) = microphone();
        say(&mut microphone, sound(3, &[1; 480]));
        assert_eq!(microphone.frames_due(0), 1);
        read(&mut microphone);
        say(&mut microphone, command(&Command::RecordStreamKilled(3)));
        let due: Vec<_> = (0..24).map(|_| microphone.frames_due(1)).collect();
        assert_eq!(
            (&due[..20], &due[20..]),
            ([0; 20].as_slice(), [1; 4].as_slice())
        );
        assert_eq!(told.ended(), ["the card is gone"]);
    }

    #[test]
    fn reading_neither_allocates_nor_frees() {
        let (mut microphone, _told) = microphone();
        let mut frame = SILENCE;
        for _ in 0..60 {
            say(&mut microphone, sound(3, &[1; 240]));
        }
        (0..10).for_each(|_| microphone.look());
        let counted = allocations(|| {
            for _ in 0..20 {
                for _ in 0..microphone.frames_due(0) {
                    microphone.read(&mut frame);
                }
            }
        });
        // The server of the test frees what it has said.
        assert_eq!(counted, 20);
    }
}
