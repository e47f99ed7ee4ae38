//! A call's microphone and loudspeaker, whichever card that is at the moment.
//!
//! Neither opening nor closing waits for the sound system: a keeper's thread does. Until it has
//! opened a card, and while there is none, there is silence and the call sets the pace.

use std::sync::mpsc::Receiver;

use media::Frame;
use media_io::{AudioSink, AudioSource, NoSink, Silence};

use super::keeper::{Cards, Hold, Opened, Watch, keep};
#[cfg(target_os = "linux")]
use super::pulse;
use super::{AudioError, DeviceKind, portable};

/// A microphone in use. Dropping it closes the card.
pub struct CardSource {
    opened: Receiver<Box<dyn AudioSource>>,
    /// Of the card in use, once there has been one.
    end: Option<Box<dyn AudioSource>>,
    was_replaced: bool,
    _hold: Hold,
}

/// A loudspeaker in use. Dropping it closes the card.
pub struct CardSink {
    opened: Receiver<Box<dyn AudioSink>>,
    /// Of the card in use, once there has been one.
    end: Option<Box<dyn AudioSink>>,
    was_replaced: bool,
    _hold: Hold,
}

/// Has a microphone opened: the one with this id, or the system's choice. `report` hears what a
/// person should know, in sentences: that it cannot be used, that it is gone, what is used instead.
///
/// # Errors
///
/// [`AudioError::NoSystem`] if no thread can be started. All else is reported.
pub fn open_capture(
    id: Option<&str>,
    report: impl Fn(String) + Send + 'static,
) -> Result<CardSource, AudioError> {
    let chosen = id.map(str::to_owned);
    let kind = DeviceKind::Microphone;
    let (opened, hold) = keep(Microphones::default(), kind, chosen, Box::new(report))?;
    Ok(CardSource {
        opened,
        end: None,
        was_replaced: false,
        _hold: hold,
    })
}

/// Has a loudspeaker opened: the one with this id, or the system's choice. `report` hears what a
/// person should know, in sentences: that it cannot be used, that it is gone, what is used instead.
///
/// # Errors
///
/// [`AudioError::NoSystem`] if no thread can be started. All else is reported.
pub fn open_playback(
    id: Option<&str>,
    report: impl Fn(String) + Send + 'static,
) -> Result<CardSink, AudioError> {
    let chosen = id.map(str::to_owned);
    let kind = DeviceKind::Loudspeaker;
    let (opened, hold) = keep(Loudspeakers::default(), kind, chosen, Box::new(report))?;
    Ok(CardSink {
        opened,
        end: None,
        was_replaced: false,
        _hold: hold,
    })
}

impl CardSource {
    /// The call's end of the newest card.
    fn end(&mut self) -> Option<&mut Box<dyn AudioSource>> {
        if let Some(end) = self.opened.try_iter().last() {
            self.was_replaced |= self.end.replace(end).is_some();
        }
        self.end.as_mut()
    }
}

impl AudioSource for CardSource {
    fn frames_due(&mut self, passed: usize) -> usize {
        self.end().map_or(passed, |end| end.frames_due(passed))
    }

    fn read(&mut self, frame: &mut Frame) {
        match &mut self.end {
            Some(end) => end.read(frame),
            None => Silence.read(frame),
        }
    }

    fn discard(&mut self) {
        if let Some(end) = self.end() {
            end.discard();
        }
    }

    fn was_replaced(&mut self) -> bool {
        std::mem::take(&mut self.was_replaced)
    }
}

impl CardSink {
    /// The call's end of the newest card.
    fn end(&mut self) -> Option<&mut Box<dyn AudioSink>> {
        if let Some(end) = self.opened.try_iter().last() {
            self.was_replaced |= self.end.replace(end).is_some();
        }
        self.end.as_mut()
    }
}

impl AudioSink for CardSink {
    fn frames_due(&mut self, passed: usize) -> usize {
        self.end().map_or(passed, |end| end.frames_due(passed))
    }

    fn write(&mut self, frame: &Frame) {
        match &mut self.end {
            Some(end) => end.write(frame),
            None => NoSink.write(frame),
        }
    }

    fn was_replaced(&mut self) -> bool {
        std::mem::take(&mut self.was_replaced)
    }
}

/// Whose card is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    #[cfg(target_os = "linux")]
    Pulse,
    Portable,
}

impl System {
    /// Of the card with this id, or the one whose choice counts. The choice is made once for each
    /// call: who opened a card directly while the sound server restarts would take it from it.
    fn of(id: Option<&str>, usual: &mut Option<Self>) -> Self {
        #[cfg(target_os = "linux")]
        {
            let of_id = |id| match pulse::server_name(id) {
                Some(_) => Self::Pulse,
                None => Self::Portable,
            };
            let find = || match pulse::is_here() {
                true => Self::Pulse,
                false => Self::Portable,
            };
            id.map_or_else(|| *usual.get_or_insert_with(find), of_id)
        }
        #[cfg(not(target_os = "linux"))]
        {
            _ = id;
            *usual.get_or_insert(Self::Portable)
        }
    }

    fn look_up(self, id: &str, kind: DeviceKind) -> Option<String> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Pulse => pulse::look_up(id, kind),
            Self::Portable => portable::look_up(id, kind),
        }
    }
}

#[derive(Default)]
struct Microphones {
    usual: Option<System>,
}

impl Cards for Microphones {
    type End = Box<dyn AudioSource>;

    fn open(
        &mut self,
        id: Option<&str>,
        watch: Watch,
    ) -> Result<Opened<Box<dyn AudioSource>>, AudioError> {
        match System::of(id, &mut self.usual) {
            #[cfg(target_os = "linux")]
            System::Pulse => pulse::open_microphone(id, watch),
            System::Portable => portable::open_microphone(id, watch),
        }
    }

    fn look_up(&mut self, id: &str) -> Option<String> {
        System::of(Some(id), &mut self.usual).look_up(id, DeviceKind::Microphone)
    }
}

#[derive(Default)]
struct Loudspeakers {
    usual: Option<System>,
}

impl Cards for Loudspeakers {
    type End = Box<dyn AudioSink>;

    fn open(
        &mut self,
        id: Option<&str>,
        watch: Watch,
    ) -> Result<Opened<Box<dyn AudioSink>>, AudioError> {
        match System::of(id, &mut self.usual) {
            #[cfg(target_os = "linux")]
            System::Pulse => pulse::open_loudspeaker(id, watch),
            System::Portable => portable::open_loudspeaker(id, watch),
        }
    }

    fn look_up(&mut self, id: &str) -> Option<String> {
        System::of(Some(id), &mut self.usual).look_up(id, DeviceKind::Loudspeaker)
    }
}
