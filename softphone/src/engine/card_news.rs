//! What the person is told of sound cards while the phone runs.

use std::collections::VecDeque;

use crate::audio::{AudioError, Device, DeviceKind};

/// Sentences that are remembered as said.
const REMEMBERED: usize = 16;

/// What was said: a machine without a sound card does not say so again at every call.
#[derive(Debug, Default)]
pub(super) struct CardNews(VecDeque<String>);

impl CardNews {
    /// Whether this has not been said for a while; it counts as said then.
    pub(super) fn is_new(&mut self, sentence: &str) -> bool {
        if self.0.iter().any(|said| said == sentence) {
            return false;
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(sentence.to_owned());
        true
    }

    /// What is missing of what the phone was to use, in one sentence; `None` if nothing is. The
    /// calls' own words for it count as said.
    pub(super) fn missing(
        &mut self,
        wanted: &[DeviceKind],
        present: &[Device],
    ) -> Option<&'static str> {
        let is_missing = |kind: &&DeviceKind| !present.iter().any(|device| device.kind == **kind);
        let missing: Vec<_> = wanted.iter().filter(is_missing).collect();
        for kind in &missing {
            self.is_new(&AudioError::NoDevice { kind: **kind }.to_string());
        }
        match missing[..] {
            [] => None,
            [DeviceKind::Microphone] => Some(NO_MICROPHONE),
            [DeviceKind::Loudspeaker] => Some(NO_LOUDSPEAKER),
            _ => Some(NO_CARD),
        }
    }
}

const NO_CARD: &str = "there is no sound card: calls connect, but nobody hears anything. One that is plugged in is \
     used at once; start with --no-sound-card if none is meant to be there";
const NO_MICROPHONE: &str = "there is no microphone: calls connect, but the other side hears nothing. One that is \
     plugged in is used at once";
const NO_LOUDSPEAKER: &str = "there is no loudspeaker: calls connect, but nothing is heard here and it does not \
     ring. One that is plugged in is used at once";

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &[DeviceKind] = &[DeviceKind::Microphone, DeviceKind::Loudspeaker];

    fn card(kind: DeviceKind) -> Device {
        Device {
            id: "alsa:x".to_owned(),
            name: "X".to_owned(),
            kind,
            is_default: true,
        }
    }

    #[test]
    fn what_is_missing_is_said_in_one_sentence_and_the_calls_do_not_repeat_it() {
        let mut news = CardNews::default();
        assert_eq!(news.missing(BOTH, &[]), Some(NO_CARD));
        assert!(NO_CARD.contains("--no-sound-card"));
        for &kind in BOTH {
            assert!(!news.is_new(&AudioError::NoDevice { kind }.to_string()));
        }
        assert!(news.is_new("the microphone \"X\" is gone"));
    }

    #[test]
    fn only_what_the_phone_was_to_use_is_missed() {
        let (microphone, loudspeaker) =
            (card(DeviceKind::Microphone), card(DeviceKind::Loudspeaker));
        let missing = |wanted: &[DeviceKind], present: &[Device]| {
            CardNews::default().missing(wanted, present)
        };
        assert_eq!(
            missing(BOTH, &[microphone.clone(), loudspeaker.clone()]),
            None
        );
        assert_eq!(missing(BOTH, &[microphone]), Some(NO_LOUDSPEAKER));
        assert_eq!(missing(BOTH, &[loudspeaker]), Some(NO_MICROPHONE));
        assert_eq!(missing(&[], &[]), None);
    }

    #[test]
    fn what_was_said_long_ago_is_said_again() {
        let mut news = CardNews::default();
        let sentences: Vec<_> = (0..=REMEMBERED).map(|n| n.to_string()).collect();
        assert!(sentences.iter().all(|sentence| news.is_new(sentence)));
        assert!(news.is_new("0") && !news.is_new("16"));
    }
}
