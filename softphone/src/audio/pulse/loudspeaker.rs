//! A call's loudspeaker on the server: it gets what it wants whenever the call looks.
//!
//! The server keeps a little sound between us and the card. How much it must be is learned: more after there
//! was nothing to play, slowly less again while that does not happen.

use std::io::{Read, Write};

use media::{FRAME_SAMPLES, Frame};
use media_io::AudioSink;
use tracing::debug;

use super::wire::{SAMPLE_BYTES, Said, Wire};
use crate::audio::keeper::Watch;

/// Most frames that one look takes.
const MAX_DUE: usize = 4;
/// Looks in a row in which the server wants nothing after which the call goes on at its own pace: 100 ms.
const MAX_STALLED_LOOKS: u32 = 20;
/// What the server keeps more after there was nothing to play, in samples: 5 ms.
const RESERVE_STEP: isize = 240;
/// Most that it keeps more than in the beginning: 80 ms.
const MAX_RESERVE: isize = 16 * RESERVE_STEP;
/// Looks without want after which it keeps a millisecond less: 10 s.
const CALM_LOOKS: u32 = 2_000;
const MILLISECOND: isize = 48;
/// Wanting more than this at once, 120 ms, is no hunger: the server reads further ahead now, and what it jumped over
/// nobody will hear. Sound of the call would be spent on it.
const JUMP: isize = 120 * MILLISECOND;

/// See the module header.
pub(super) struct Loudspeaker<S> {
    wire: Wire<S>,
    channel: u32,
    /// Tells the keeper that the stream is over, once.
    watch: Option<Watch>,
    /// Samples that the server wants and has not got; less than none if it has got more.
    wanted: isize,
    /// Samples that it has jumped over.
    gap: usize,
    /// What it keeps more than in the beginning.
    reserve: isize,
    calm_looks: u32,
    stalled_looks: u32,
    /// Frames were given at the last look or the one before: if there was nothing to play then, they came late.
    looks_since_frame: u32,
}

impl<S: Read + Write> Loudspeaker<S> {
    /// For a stream whose server has asked for `wanted_bytes` already.
    pub(super) fn new(wire: Wire<S>, channel: u32, wanted_bytes: usize, watch: Watch) -> Self {
        Self {
            wire,
            channel,
            watch: Some(watch),
            wanted: samples(wanted_bytes),
            gap: 0,
            reserve: 0,
            calm_looks: 0,
            stalled_looks: 0,
            looks_since_frame: u32::MAX,
        }
    }

    fn look(&mut self) {
        let Some(watch) = &self.watch else {
            return;
        };
        let own = self.channel;
        let (mut wanted, mut was_empty, mut is_killed) = (0, false, false);
        let end = self.wire.listen(|said| match said {
            Said::Wants(channel, len) if channel == own => wanted += samples(len),
            Said::Underflow => was_empty = true,
            Said::Moved(id) => watch.moved(id),
            Said::Killed => is_killed = true,
            Said::Wants(..) | Said::Sound(..) => {}
        });
        self.wanted += wanted;
        self.follow_jump();
        self.stalled_looks = if wanted > 0 {
            0
        } else {
            self.stalled_looks.saturating_add(1)
        };
        self.learn_reserve(was_empty && self.looks_since_frame <= 2);
        match end {
            _ if is_killed => self.end("the card is gone".to_owned()),
            Err(error) => self.end(error.to_string()),
            Ok(()) => {}
        }
    }

    fn follow_jump(&mut self) {
        if self.wanted > JUMP {
            let gap = self.wanted - FRAME;
            debug!(gap.samples = gap, "the server reads further ahead");
            self.gap += gap.unsigned_abs();
            self.wanted = FRAME;
        }
    }

    fn learn_reserve(&mut self, came_late: bool) {
        if came_late {
            self.calm_looks = 0;
            self.set_reserve((self.reserve + RESERVE_STEP).min(MAX_RESERVE));
            debug!(
                reserve.samples = self.reserve,
                "the loudspeaker had nothing to play"
            );
            return;
        }
        self.calm_looks += 1;
        if self.calm_looks == CALM_LOOKS {
            self.calm_looks = 0;
            self.set_reserve((self.reserve - MILLISECOND).max(0));
        }
    }

    fn set_reserve(&mut self, reserve: isize) {
        self.wanted += reserve - self.reserve;
        self.reserve = reserve;
    }

    fn end(&mut self, why: String) {
        if let Some(watch) = self.watch.take() {
            watch.ended(why);
        }
    }

    fn is_stalled(&self) -> bool {
        self.watch.is_none() || (self.wanted <= 0 && self.stalled_looks >= MAX_STALLED_LOOKS)
    }
}

fn samples(bytes: usize) -> isize {
    isize::try_from(bytes / SAMPLE_BYTES).unwrap_or(isize::MAX)
}

const FRAME: isize = FRAME_SAMPLES.cast_signed();

impl<S: Read + Write + Send> AudioSink for Loudspeaker<S> {
    fn frames_due(&mut self, passed: usize) -> usize {
        self.look();
        self.looks_since_frame = self.looks_since_frame.saturating_add(1);
        if self.is_stalled() {
            return passed;
        }
        let wanted = usize::try_from(self.wanted).unwrap_or(0);
        wanted.div_ceil(FRAME_SAMPLES).min(MAX_DUE)
    }

    fn write(&mut self, frame: &Frame) {
        if self.is_stalled() {
            // It would be old when the card comes back.
            return;
        }
        self.wanted -= FRAME;
        self.looks_since_frame = 0;
        let gap = std::mem::take(&mut self.gap);
        if let Err(error) = self.wire.say(self.channel, gap, frame) {
            self.end(error.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use media::SILENCE;
    use pulseaudio::protocol::{Command, Underflow};

    use super::super::wire::tests::{Server, command, request, sound, wire};
    use super::*;
    use crate::audio::callback::counting::allocations;
    use crate::audio::keeper::Told;

    fn loudspeaker(wanted: usize) -> (Loudspeaker<Server>, Told) {
        let (watch, told) = Watch::of_a_test();
        (
            Loudspeaker::new(wire([]), 7, wanted * SAMPLE_BYTES, watch),
            told,
        )
    }

    fn say(loudspeaker: &mut Loudspeaker<Server>, message: Vec<u8>) {
        loudspeaker.wire.server().says.push_back(message);
    }

    /// As a session does.
    fn play(loudspeaker: &mut Loudspeaker<Server>, frame: &Frame) -> usize {
        let due = loudspeaker.frames_due(0);
        (0..due).for_each(|_| loudspeaker.write(frame));
        due
    }

    fn underflow() -> Vec<u8> {
        command(&Command::Underflow(Underflow {
            channel: 7,
            offset: 0,
        }))
    }

    #[test]
    fn what_the_server_wants_it_gets_in_frames_and_no_more() {
        let (mut loudspeaker, _told) = loudspeaker(960);
        assert_eq!(play(&mut loudspeaker, &[4; 480]), 2);
        let mut expected = [sound(7, &[4; 480]), sound(7, &[4; 480])].concat();
        let mut due = Vec::new();
        for n in 0..8 {
            say(&mut loudspeaker, request(7, 240));
            say(&mut loudspeaker, request(9, 960));
            due.push(play(&mut loudspeaker, &[n; 480]));
            due.push(play(&mut loudspeaker, &[n; 480]));
        }
        assert_eq!(due.iter().sum::<usize>(), 4, "{due:?}");
        for n in [0, 2, 4, 6] {
            expected.extend(sound(7, &[n; 480]));
        }
        assert_eq!(loudspeaker.wire.server().hears, expected);
    }

    #[test]
    fn what_the_server_jumps_over_is_no_sound_of_the_call() {
        let (mut loudspeaker, _told) = loudspeaker(960);
        play(&mut loudspeaker, &SILENCE);
        loudspeaker.wire.server().hears.clear();
        say(
            &mut loudspeaker,
            [request(7, 40_800), request(7, 8_400)].concat(),
        );
        assert_eq!(play(&mut loudspeaker, &[1; 480]), 1);
        say(&mut loudspeaker, request(7, 480));
        assert_eq!(play(&mut loudspeaker, &[2; 480]), 1);
        let mut expected = wire([]);
        expected.say(7, 48_720, &[1; 480]).unwrap();
        expected.say(7, 0, &[2; 480]).unwrap();
        let hears = &loudspeaker.wire.server().hears;
        assert_eq!(hears, &expected.server().hears);
        assert_eq!(hears[8..16], (48_720_u64 * 2).to_be_bytes());
    }

    #[test]
    fn a_stall_is_caught_up_with_sound_of_the_call() {
        let (mut loudspeaker, _told) = loudspeaker(0);
        say(&mut loudspeaker, request(7, 4_800));
        let due: usize = (0..5).map(|_| play(&mut loudspeaker, &SILENCE)).sum();
        assert_eq!(due, 10);
    }

    #[test]
    fn the_reserve_grows_when_there_was_nothing_to_play_and_shrinks_slowly() {
        let (mut loudspeaker, _told) = loudspeaker(960);
        play(&mut loudspeaker, &SILENCE);
        say(&mut loudspeaker, [underflow(), request(7, 480)].concat());
        assert_eq!(
            play(&mut loudspeaker, &SILENCE),
            2,
            "5 ms more than it wants"
        );
        assert_eq!((loudspeaker.wanted, loudspeaker.reserve), (-240, 240));
        for _ in 0..5 * CALM_LOOKS {
            say(&mut loudspeaker, request(7, 240));
            play(&mut loudspeaker, &SILENCE);
        }
        assert_eq!(loudspeaker.reserve, 0);
        assert!(loudspeaker.wanted <= 0);
    }

    #[test]
    fn silence_while_nobody_plays_is_no_want_of_reserve() {
        let (mut loudspeaker, _told) = loudspeaker(960);
        for message in [underflow(), request(7, 240)] {
            say(&mut loudspeaker, message);
            loudspeaker.frames_due(0);
        }
        assert_eq!(loudspeaker.reserve, 0);
    }

    #[test]
    fn a_card_that_stands_still_or_is_gone_does_not_stop_the_call() {
        let (mut loudspeaker, told) = loudspeaker(480);
        let frames: usize = (0..400)
            .map(|n| {
                let due = loudspeaker.frames_due(n % 2);
                (0..due).for_each(|_| loudspeaker.write(&[1; 480]));
                due
            })
            .sum();
        assert!((185..=195).contains(&frames), "{frames} frames in 2 s");
        let played = loudspeaker.wire.server().hears.len();
        assert_eq!(played, sound(7, &[1; 480]).len(), "the others are old");
        say(&mut loudspeaker, request(7, 480));
        assert_eq!(play(&mut loudspeaker, &[2; 480]), 1, "it plays again");
        loudspeaker.wire.server().is_gone = true;
        assert_eq!((0..3).map(|_| loudspeaker.frames_due(1)).sum::<usize>(), 3);
        assert_eq!(told.ended().len(), 1);
    }

    #[test]
    fn playing_neither_allocates_nor_frees() {
        let (mut loudspeaker, _told) = loudspeaker(0);
        for _ in 0..60 {
            say(&mut loudspeaker, request(7, 480));
        }
        loudspeaker.wire.server().hears.reserve(1 << 20);
        for _ in 0..10 {
            play(&mut loudspeaker, &SILENCE);
        }
        let counted = allocations(|| {
            for _ in 0..20 {
                assert_eq!(play(&mut loudspeaker, &SILENCE), 1);
            }
        });
        // The server of the test frees what it has said.
        assert_eq!(counted, 20);
    }
}
