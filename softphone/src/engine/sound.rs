//! What a call plays and where its sound goes: files, a sound card, or nothing.

use std::path::{Path, PathBuf};

use media::process::ProcessOptions;
use media_io::desk::{Near, SharedCard};
use media_io::{
    AfterEnd, AudioSink, AudioSource, NoSink, ProcessingSwitches, Silence, WavSink, WavSource,
    processed,
};
use softphone_core::CallId;

use crate::audio::{self, DeviceKind};
use crate::cli::{self, absolute};
use crate::control::protocol::{ProcessingState, SoundFiles};
use crate::failure::{Failure, FailureKind};

/// What all calls do unless one of them is told otherwise.
#[derive(Clone, Debug)]
pub(super) struct SoundPlan {
    source: Source,
    sink: Sink,
    processing: ProcessingSwitches,
}

/// What one call does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CallSound {
    pub(super) source: Source,
    pub(super) sink: Sink,
}

/// What the other side hears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Source {
    /// A WAV file.
    File(PathBuf),
    /// A microphone; the system's usual one without an id.
    Card(Option<String>),
    #[default]
    Silence,
}

/// Where the other side's sound goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Sink {
    /// A WAV file.
    File(PathBuf),
    /// A loudspeaker; the system's usual one without an id.
    Card(Option<String>),
    #[default]
    Nowhere,
}

impl SoundPlan {
    /// What `run` was told.
    ///
    /// # Errors
    ///
    /// [`FailureKind::Sound`] if a file cannot be used.
    pub(super) fn new(asked: &cli::Run) -> Result<Self, Failure> {
        let files = SoundFiles {
            play: asked.play.clone().map(absolute),
            record: asked.record.clone().map(absolute),
        };
        check(&files)?;
        let card = !asked.no_sound_card;
        Ok(Self {
            source: match files.play {
                Some(path) => Source::File(path),
                None if card => Source::Card(asked.input.clone()),
                None => Source::Silence,
            },
            sink: match files.record {
                Some(path) => Sink::File(path),
                None if card => Sink::Card(asked.play_device.clone()),
                None => Sink::Nowhere,
            },
            processing: ProcessingSwitches::new(options(&asked.processing)),
        })
    }

    /// The switches of what is done to the microphone's sound, in all calls.
    pub(super) fn processing(&self) -> &ProcessingSwitches {
        &self.processing
    }

    /// How they stand, in the words of the control socket.
    pub(super) fn processing_state(&self) -> ProcessingState {
        let options = self.processing.get();
        ProcessingState {
            echo_cancellation: options.echo_cancellation,
            noise_suppression: options.noise_suppression,
            gain_control: options.gain_control,
        }
    }

    /// What a call does that has no files of its own.
    pub(super) fn usual(&self) -> CallSound {
        CallSound {
            source: self.source.clone(),
            sink: self.sink.clone(),
        }
    }

    /// Has the card opened whose microphone and loudspeaker calls use, if they use one. Does not wait for
    /// it: `report` hears what is wrong.
    pub(super) fn open_card(
        &self,
        report: impl Fn(String) + Clone + Send + 'static,
    ) -> Option<SharedCard> {
        if !self.usual().uses_card() {
            return None;
        }
        let mut source: Box<dyn AudioSource> = Box::new(Silence);
        let mut sink: Box<dyn AudioSink> = Box::new(NoSink);
        if let Source::Card(id) = &self.source {
            match audio::open_capture(id.as_deref(), report.clone()) {
                Ok(opened) => source = Box::new(opened),
                Err(error) => report(error.to_string()),
            }
        }
        if let Sink::Card(id) = &self.sink {
            match audio::open_playback(id.as_deref(), report.clone()) {
                Ok(opened) => sink = Box::new(opened),
                Err(error) => report(error.to_string()),
            }
        }
        // A file in place of the microphone is sent as it is.
        if !matches!(self.source, Source::Card(_)) {
            return Some(SharedCard::new(source, sink));
        }
        let (source, sink) = processed(source, sink, self.processing.clone());
        Some(SharedCard::new(Box::new(source), Box::new(sink)))
    }

    /// What this call does; `files` are its own.
    pub(super) fn for_call(&self, call: CallId, files: &SoundFiles) -> CallSound {
        let sink = match &self.sink {
            Sink::File(path) => Sink::File(numbered(path, call)),
            other => other.clone(),
        };
        CallSound {
            source: files
                .play
                .clone()
                .map_or_else(|| self.source.clone(), Source::File),
            sink: files.record.clone().map_or(sink, Sink::File),
        }
    }
}

impl CallSound {
    /// Whether it needs the card.
    pub(super) fn uses_card(&self) -> bool {
        !self.cards().is_empty()
    }

    /// What it needs of the sound system.
    pub(super) fn cards(&self) -> Vec<DeviceKind> {
        let microphone = matches!(self.source, Source::Card(_)).then_some(DeviceKind::Microphone);
        let loudspeaker = matches!(self.sink, Sink::Card(_)).then_some(DeviceKind::Loudspeaker);
        microphone.into_iter().chain(loudspeaker).collect()
    }

    /// Whether it needs files, so that opening takes time.
    pub(super) fn uses_files(&self) -> bool {
        matches!(self.source, Source::File(_)) || matches!(self.sink, Sink::File(_))
    }
}

/// Files and card of one call, open.
#[derive(Default)]
pub(super) struct OpenSound {
    pub(super) near: Near,
    /// What could not be opened, in plain words; silence stands in for it.
    pub(super) problems: Vec<String>,
}

impl OpenSound {
    /// Opens the files that a call wants, and takes the card if it wants that. Blocks if there
    /// are files.
    pub(super) fn open(sound: &CallSound, card: Option<SharedCard>) -> Self {
        let mut problems = Vec::new();
        let source: Box<dyn AudioSource> = match (&sound.source, &card) {
            (Source::File(path), _) => match WavSource::open(path, AfterEnd::Silence) {
                Ok(source) => Box::new(source),
                Err(error) => {
                    problems.push(chain(&error));
                    Box::new(Silence)
                }
            },
            (Source::Card(_), Some(card)) => Box::new(card.clone()),
            (Source::Card(_) | Source::Silence, _) => Box::new(Silence),
        };
        let sink: Box<dyn AudioSink> = match (&sound.sink, card) {
            (Sink::File(path), _) => match WavSink::create(path) {
                Ok(sink) => Box::new(sink),
                Err(error) => {
                    problems.push(chain(&error));
                    Box::new(NoSink)
                }
            },
            (Sink::Card(_), Some(card)) => Box::new(card),
            (Sink::Card(_) | Sink::Nowhere, _) => Box::new(NoSink),
        };
        Self {
            near: Near::new(source, sink),
            problems,
        }
    }
}

/// An error with its reasons, as one sentence.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut reason = error.source();
    while let Some(next) = reason {
        text.push_str(": ");
        text.push_str(&next.to_string());
        reason = next.source();
    }
    text
}

/// As usual, but for what was switched.
fn options(asked: &cli::Processing) -> ProcessOptions {
    let usual = ProcessOptions::default();
    ProcessOptions {
        echo_cancellation: asked
            .echo_cancellation
            .map_or(usual.echo_cancellation, bool::from),
        noise_suppression: asked
            .noise_suppression
            .map_or(usual.noise_suppression, bool::from),
        gain_control: asked.gain_control.map_or(usual.gain_control, bool::from),
        ..usual
    }
}

/// Refuses files that cannot be used while somebody is there to hear it.
pub(super) fn check(files: &SoundFiles) -> Result<(), Failure> {
    let refuse = |text: String| Err(Failure::new(FailureKind::Sound, text));
    if let Some(path) = &files.play
        && let Err(error) = WavSource::check(path)
    {
        return refuse(chain(&error));
    }
    if let Some(path) = &files.record {
        let folder = path.parent().unwrap_or(Path::new("/"));
        if !folder.is_dir() {
            return refuse(format!(
                "{} is no folder that can be written to",
                folder.display()
            ));
        }
    }
    Ok(())
}

/// One file for each call: `said.wav`, `said-2.wav`, …
fn numbered(path: &Path, call: CallId) -> PathBuf {
    if call.0 <= 1 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path
        .extension()
        .map(|ending| format!(".{}", ending.to_string_lossy()));
    path.with_file_name(format!("{stem}-{call}{}", ending.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calls_own_files_win_over_those_of_the_phone() {
        let plan = SoundPlan {
            source: Source::Card(None),
            sink: Sink::File(PathBuf::from("/r/said.wav")),
            processing: ProcessingSwitches::default(),
        };
        let none = SoundFiles::default();
        assert_eq!(
            plan.for_call(CallId(1), &none),
            CallSound {
                source: Source::Card(None),
                sink: Sink::File("/r/said.wav".into())
            }
        );
        assert_eq!(
            plan.for_call(CallId(3), &none).sink,
            Sink::File("/r/said-3.wav".into())
        );
        let own = SoundFiles {
            play: Some("/p.wav".into()),
            record: Some("/o.wav".into()),
        };
        assert_eq!(
            plan.for_call(CallId(3), &own),
            CallSound {
                source: Source::File("/p.wav".into()),
                sink: Sink::File("/o.wav".into())
            }
        );
    }

    #[test]
    fn what_is_done_to_the_microphone_is_usual_unless_it_was_switched() {
        assert_eq!(
            options(&cli::Processing::default()),
            ProcessOptions::default()
        );
        let asked = cli::Processing {
            gain_control: Some(cli::Switch::Off),
            ..cli::Processing::default()
        };
        assert_eq!(
            options(&asked),
            ProcessOptions {
                gain_control: false,
                ..ProcessOptions::default()
            }
        );
    }

    #[test]
    fn files_that_cannot_be_used_are_refused_beforehand() {
        let missing = SoundFiles {
            play: Some("/no/such.wav".into()),
            record: None,
        };
        assert_eq!(check(&missing).unwrap_err().kind, FailureKind::Sound);
        let nowhere = SoundFiles {
            play: None,
            record: Some("/no/such/folder/x.wav".into()),
        };
        assert_eq!(check(&nowhere).unwrap_err().kind, FailureKind::Sound);
        assert_eq!(check(&SoundFiles::default()), Ok(()));
    }
}
