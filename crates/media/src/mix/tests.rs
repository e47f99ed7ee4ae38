use super::*;
use crate::level::level_dbfs;
use crate::tone::{Tone, share_at};

const FREQUENCIES_HZ: [f64; 5] = [400.0, 700.0, 1_100.0, 1_700.0, 2_600.0];

/// A conversation in which every member hums its own tone.
struct Room {
    mixer: Mixer,
    members: Vec<(MemberId, Tone)>,
}

impl Room {
    fn of_parties(count: usize, amplitude: f32) -> Self {
        let mut room = Self {
            mixer: Mixer::default(),
            members: Vec::new(),
        };
        for &frequency_hz in &FREQUENCIES_HZ[..count] {
            let id = room.mixer.add_party().unwrap();
            room.members
                .push((id, Tone::new(frequency_hz, 48_000, amplitude)));
        }
        room
    }

    fn id(&self, member: usize) -> MemberId {
        self.members[member].0
    }

    fn step(&mut self) {
        for (id, tone) in &mut self.members {
            let mut frame = SILENCE;
            tone.fill(&mut frame);
            self.mixer.put(*id, &frame);
        }
        self.mixer.mix();
    }

    /// What one hears in the next frames.
    fn listen(&mut self, member: usize, frames: usize) -> Vec<i16> {
        let mut heard = Vec::new();
        for _ in 0..frames {
            self.step();
            heard.extend_from_slice(self.mixer.heard_by(self.id(member)));
        }
        heard
    }

    /// Which tones one hears, after gains have settled.
    fn tones_heard(&mut self, member: usize) -> Vec<usize> {
        self.step();
        let heard = self.listen(member, 100);
        (0..FREQUENCIES_HZ.len())
            .filter(|&n| share_at(&heard, FREQUENCIES_HZ[n], 48_000) > 1e-6)
            .collect()
    }
}

#[test]
fn each_of_five_parties_hears_exactly_the_other_four_equally_loud() {
    let mut room = Room::of_parties(5, 0.15);
    for listener in 0..5 {
        room.step();
        let heard = room.listen(listener, 100);
        for (speaker, &frequency_hz) in FREQUENCIES_HZ.iter().enumerate() {
            let share = share_at(&heard, frequency_hz, 48_000);
            if speaker == listener {
                assert!(share < 1e-7, "{listener} hears itself: {share}");
            } else {
                assert!((share - 0.25).abs() < 0.001, "{listener}: {share}");
            }
        }
    }
}

#[test]
fn two_parties_hear_each_other_bit_by_bit() {
    let mut room = Room::of_parties(2, 0.7);
    room.step();
    let heard = room.listen(0, 10);
    let mut tone = Tone::new(FREQUENCIES_HZ[1], 48_000, 0.7);
    let mut said = vec![0; 11 * FRAME_SAMPLES];
    tone.fill(&mut said);
    assert_eq!(heard, said[FRAME_SAMPLES..]);
}

#[test]
fn a_party_alone_hears_silence_even_of_its_own_full_scale_noise() {
    let mut mixer = Mixer::default();
    let id = mixer.add_party().unwrap();
    for n in 0..20 {
        mixer.put(
            id,
            &if n % 2 == 0 {
                [i16::MIN; 480]
            } else {
                [i16::MAX; 480]
            },
        );
        mixer.mix();
        assert_eq!(mixer.heard_by(id), &SILENCE);
    }
}

#[test]
fn full_scale_parties_do_not_wrap_and_what_comes_after_is_as_loud_as_before() {
    let mut mixer = Mixer::default();
    let ids: Vec<_> = (0..MAX_MEMBERS)
        .map(|_| mixer.add_party().unwrap())
        .collect();
    for &id in &ids {
        mixer.set_level(id, Gain::from_db(100.0));
    }
    for sample in [i16::MAX, i16::MIN] {
        for _ in 0..3 {
            for &id in &ids {
                mixer.put(id, &[sample; 480]);
            }
            mixer.mix();
        }
        for &id in &ids {
            let heard = mixer.heard_by(id);
            assert!(
                heard
                    .iter()
                    .all(|&heard| i32::from(heard) * i32::from(sample) > 0
                        && heard.unsigned_abs() > 32_000)
            );
        }
    }
    for &id in &ids {
        mixer.set_level(id, Gain::UNITY);
    }
    for _ in 0..2 {
        mixer.put(ids[0], &[1_000; 480]);
        mixer.mix();
    }
    assert_eq!(mixer.heard_by(ids[1]), &[1_000; 480]);
}

#[test]
fn a_monitor_hears_all_and_is_heard_by_none() {
    let mut room = Room::of_parties(3, 0.2);
    for listener in 0..2 {
        let (listener, monitor) = (room.id(listener), room.id(2));
        room.mixer.set_hearing(listener, monitor, Gain::SILENT);
    }
    assert_eq!(room.tones_heard(0), [1]);
    assert_eq!(room.tones_heard(1), [0]);
    assert_eq!(room.tones_heard(2), [0, 1]);
}

#[test]
fn a_coach_is_heard_by_one_only() {
    let mut room = Room::of_parties(3, 0.2);
    let (caller, coach) = (room.id(0), room.id(2));
    room.mixer.set_hearing(caller, coach, Gain::SILENT);
    assert_eq!(room.tones_heard(0), [1]);
    assert_eq!(room.tones_heard(1), [0, 2]);
    assert_eq!(room.tones_heard(2), [0, 1]);
}

#[test]
fn a_source_is_heard_by_the_chosen_side_only_and_as_loud_as_said() {
    let mut room = Room::of_parties(2, 0.2);
    let source = room.mixer.add_source().unwrap();
    room.members
        .push((source, Tone::new(FREQUENCIES_HZ[4], 48_000, 0.2)));
    let chosen = room.id(1);
    room.mixer
        .set_hearing(chosen, source, Gain::from_db(-6.0206));
    assert_eq!(room.tones_heard(0), [1]);
    assert_eq!(room.tones_heard(1), [0, 4]);
    let heard = room.listen(1, 100);
    let share = share_at(&heard, FREQUENCIES_HZ[4], 48_000);
    assert!((share - 0.2).abs() < 0.001, "half as loud: {share}");
    assert_eq!(room.mixer.heard_by(source), &SILENCE);
}

#[test]
fn a_level_makes_a_party_softer_for_all_others() {
    let mut room = Room::of_parties(2, 0.5);
    room.step();
    let before = level_dbfs(&room.listen(0, 10));
    let speaker = room.id(1);
    room.mixer.set_level(speaker, Gain::from_db(-20.0));
    room.step();
    let after = level_dbfs(&room.listen(0, 10));
    assert!((before - after - 20.0).abs() < 0.05, "{before} {after}");
}

#[test]
fn a_missing_frame_is_silence() {
    let mut room = Room::of_parties(2, 0.5);
    room.step();
    room.mixer.mix();
    room.mixer.mix();
    assert_eq!(room.mixer.heard_by(room.id(0)), &SILENCE);
}

/// The greatest second difference, in which a click stands out.
fn roughness(samples: &[i16]) -> i32 {
    let at = |n: usize| i32::from(samples[n]);
    (2..samples.len())
        .map(|n| (at(n) - 2 * at(n - 1) + at(n - 2)).abs())
        .max()
        .unwrap_or(0)
}

#[test]
fn coming_going_pausing_and_changes_of_gain_do_not_click() {
    let mut room = Room::of_parties(1, 0.0);
    let mut heard = Vec::new();
    let newcomer = room.mixer.add_party().unwrap();
    // Begins at its loudest.
    let mut tone = Tone::new(200.0, 48_000, 0.5);
    tone.fill(&mut [0; 60]);
    for n in 0..60 {
        let mut frame = SILENCE;
        tone.fill(&mut frame);
        match n {
            0..10 | 20..40 => room.mixer.put(newcomer, &frame),
            40 => room.mixer.remove(newcomer),
            _ => {}
        }
        match n {
            25 => room.mixer.set_level(newcomer, Gain::from_db(-10.0)),
            30 => {
                let listener = room.id(0);
                room.mixer
                    .set_hearing(listener, newcomer, Gain::from_db(6.0));
            }
            _ => {}
        }
        heard.extend(room.listen(0, 1));
    }
    // A step of that tone at its peak would be 16,000.
    assert!(roughness(&heard) < 900, "{}", roughness(&heard));
    assert!(level_dbfs(&heard[..4_800]) > -15.0);
    assert_eq!(heard[45 * 480..], [0; 15 * 480]);
}

#[test]
fn others_are_untouched_to_the_bit_when_someone_comes_and_goes() {
    let mut plain = Room::of_parties(2, 0.3);
    let mut busy = Room::of_parties(2, 0.3);
    for n in 0..40 {
        if n % 7 == 0 {
            let guest = busy.mixer.add_party().unwrap();
            busy.mixer.put(guest, &SILENCE);
            busy.mixer.mix();
            plain.mixer.mix();
            busy.mixer.remove(guest);
        }
        assert_eq!(plain.listen(0, 1), busy.listen(0, 1));
    }
}

#[test]
fn room_is_bounded_freed_and_an_old_id_means_nobody() {
    let mut mixer = Mixer::default();
    let ids: Vec<_> = (0..MAX_MEMBERS)
        .map(|_| mixer.add_party().unwrap())
        .collect();
    assert_eq!(mixer.add_source(), Err(MixerFull));
    mixer.set_hearing(ids[1], ids[0], Gain::SILENT);
    mixer.remove(ids[0]);
    assert_eq!(mixer.len(), MAX_MEMBERS - 1);
    mixer.mix();
    let newcomer = mixer.add_party().unwrap();
    assert_ne!(newcomer, ids[0]);
    mixer.remove(ids[0]);
    for _ in 0..2 {
        mixer.put(ids[0], &[5_000; 480]);
        mixer.put(newcomer, &[700; 480]);
        mixer.mix();
    }
    assert_eq!(mixer.heard_by(ids[1]), &[700; 480], "gains start anew");
    assert_eq!(mixer.heard_by(ids[0]), &SILENCE);
}
