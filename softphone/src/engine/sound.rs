//! What a call plays and where its sound goes: files, a sound card, or nothing.

use std::path::{Path, PathBuf};

use media_io::{AfterEnd, AudioSink, AudioSource, NoSink, Silence, WavSink, WavSource};
use softphone_core::CallId;

use crate::audio::{self, CardSink, CardSource};
use crate::cli::{self, absolute};
use crate::control::protocol::SoundFiles;
use crate::failure::{Failure, FailureKind};

/// What all calls do unless one of them is told otherwise.
#[derive(Clone, Debug)]
pub(super) struct SoundPlan {
    source: Source,
    sink: Sink,
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
        })
    }

    /// What a call does that has no files of its own.
    pub(super) fn usual(&self) -> CallSound {
        CallSound {
            source: self.source.clone(),
            sink: self.sink.clone(),
        }
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

/// Microphone and loudspeaker of one call, as far as it uses cards. They run before the call begins,
/// so that nobody waits for them then.
#[derive(Default)]
pub(super) struct OpenCards {
    source: Option<CardSource>,
    sink: Option<CardSink>,
}

impl OpenCards {
    /// Has the cards opened. Does not wait for them: `report` hears what is wrong with one.
    pub(super) fn open(
        sound: &CallSound,
        report: impl Fn(String) + Clone + Send + 'static,
    ) -> Self {
        let mut open = Self::default();
        if let Source::Card(id) = &sound.source {
            match audio::open_capture(id.as_deref(), report.clone()) {
                Ok(source) => open.source = Some(source),
                Err(error) => report(error.to_string()),
            }
        }
        if let Sink::Card(id) = &sound.sink {
            match audio::open_playback(id.as_deref(), report.clone()) {
                Ok(sink) => open.sink = Some(sink),
                Err(error) => report(error.to_string()),
            }
        }
        open
    }
}

/// Files and devices of one call, open.
pub(super) struct OpenSound {
    pub(super) source: Box<dyn AudioSource>,
    pub(super) sink: Box<dyn AudioSink>,
    /// What could not be opened, in plain words; silence stands in for it.
    pub(super) problems: Vec<String>,
}

impl OpenSound {
    /// Neither microphone nor loudspeaker.
    pub(super) fn none() -> Self {
        Self {
            source: Box::new(Silence),
            sink: Box::new(NoSink),
            problems: Vec::new(),
        }
    }

    /// Opens the files that a call wants, and takes the cards that it wants. Blocks.
    pub(super) fn open(sound: &CallSound, cards: OpenCards) -> Self {
        let mut open = Self::none();
        match &sound.source {
            Source::File(path) => match WavSource::open(path, AfterEnd::Silence) {
                Ok(source) => open.source = Box::new(source),
                Err(error) => open.problems.push(error.to_string()),
            },
            Source::Card(_) => {
                if let Some(source) = cards.source {
                    open.source = Box::new(source);
                }
            }
            Source::Silence => {}
        }
        match &sound.sink {
            Sink::File(path) => match WavSink::create(path) {
                Ok(sink) => open.sink = Box::new(sink),
                Err(error) => open.problems.push(error.to_string()),
            },
            Sink::Card(_) => {
                if let Some(sink) = cards.sink {
                    open.sink = Box::new(sink);
                }
            }
            Sink::Nowhere => {}
        }
        open
    }
}

/// Refuses files that cannot be used while somebody is there to hear it.
pub(super) fn check(files: &SoundFiles) -> Result<(), Failure> {
    let refuse = |text: String| Err(Failure::new(FailureKind::Sound, text));
    if let Some(path) = &files.play
        && let Err(error) = std::fs::File::open(path)
    {
        return refuse(format!("{} cannot be read: {error}", path.display()));
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
