//! Calls and conferences that are kept in files.
//!
//! Making and ending a file may wait for a disk, so tasks do it and send news. A task looks every half second
//! whether a recording can still be written: if not, the person is told and the call goes on.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use media_io::desk::{Port, Room};
use media_io::{RecordError, Recorder, Recording, RecordingFormat};
use softphone_core::{CallId, Phase};
use tokio::time::sleep;

use super::{Answer, Engine, News, sound};
use crate::control::protocol::{Done, Recorded};
use crate::failure::{Failure, FailureKind};

/// How often it is looked whether a recording can still be written.
const LOOK: Duration = Duration::from_millis(500);
/// Of recordings that are named here.
const USUAL_ENDING: &str = "opus";
/// Folder of the profile for recordings that are named here.
const USUAL_FOLDER: &str = "recordings";

/// What can be recorded.
#[derive(Clone)]
pub(super) enum Tape {
    Call(Port),
    Room(Room),
}

impl Tape {
    fn start(&self, recorder: Recorder) -> Option<Recorder> {
        match self {
            Self::Call(port) => port.record(recorder),
            Self::Room(room) => room.record(recorder),
        }
    }

    fn stop(&self) -> Option<Recorder> {
        match self {
            Self::Call(port) => port.stop_recording(),
            Self::Room(room) => room.stop_recording(),
        }
    }

    fn is_writing(&self) -> Option<bool> {
        match self {
            Self::Call(port) => port.is_recording(),
            Self::Room(room) => room.is_recording(),
        }
    }
}

/// News of a recording.
pub(super) enum RecordingNews {
    /// It has begun, in this file.
    Begun(PathBuf),
    /// It cannot be made; a sentence.
    Failed(String),
    /// It is over; a sentence if it ended early.
    Ended(Option<String>),
}

impl Engine {
    /// Begins a recording. `answer` hears when it runs.
    pub(super) fn record(&mut self, what: Recorded, to: Option<PathBuf>, answer: Option<Answer>) {
        let prepared = self.tape(what).and_then(|tape| {
            let path = to.unwrap_or_else(|| self.file_for(what));
            Ok((tape, format_of(&path)?, path))
        });
        let (tape, format, path) = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => return reply(answer, Err(failure)),
        };
        if self.recordings.contains_key(&what) {
            let text = "this is being recorded already";
            return reply(answer, Err(Failure::new(FailureKind::NotPossible, text)));
        }
        self.recordings.insert(what, path.clone());
        let news = self.news.clone();
        self.tasks.spawn(async move {
            let told = |news_of| News::Recording(what, news_of);
            let file = path.clone();
            let made = tokio::task::spawn_blocking(move || create(&file, format)).await;
            let recorder = match made {
                Ok(Ok(recorder)) => recorder,
                Ok(Err(problem)) => {
                    let failure = Failure::new(FailureKind::Sound, problem.clone());
                    reply(answer, Err(failure));
                    // The engine may be gone.
                    let _ = news.send(told(RecordingNews::Failed(problem))).await;
                    return;
                }
                Err(_) => {
                    let problem = "the recording broke down".to_owned();
                    let _ = news.send(told(RecordingNews::Failed(problem))).await;
                    return;
                }
            };
            if let Some(back) = tape.start(recorder) {
                // The call ended meanwhile.
                let outcome = finish(back).await;
                let _ = news.send(told(RecordingNews::Ended(outcome))).await;
                return;
            }
            let _ = news.send(told(RecordingNews::Begun(path.clone()))).await;
            reply(answer, Ok(done(what, Some(path))));
            // Until somebody ends it.
            while tape.is_writing() == Some(true) {
                sleep(LOOK).await;
            }
            if let Some(broken) = tape.stop() {
                let outcome = finish(broken).await;
                let _ = news.send(told(RecordingNews::Ended(outcome))).await;
            }
        });
    }

    /// Ends a recording. `answer` hears when its file is complete.
    pub(super) fn stop_recording(&mut self, what: Recorded, answer: Option<Answer>) {
        let stopped = self.tape(what).and_then(|tape| {
            tape.stop()
                .ok_or_else(|| Failure::new(FailureKind::NotPossible, "this is not being recorded"))
        });
        match stopped {
            Ok(recorder) => self.finish_recording(what, recorder, answer),
            Err(failure) => reply(answer, Err(failure)),
        }
    }

    /// The conference is over.
    pub(super) fn end_room(&mut self, room: &Room) {
        if let Some(recorder) = room.end() {
            self.finish_recording(Recorded::Conference, recorder, None);
        }
    }

    fn finish_recording(&mut self, what: Recorded, recorder: Recorder, answer: Option<Answer>) {
        let (news, path) = (self.news.clone(), self.recordings.get(&what).cloned());
        self.tasks.spawn(async move {
            let outcome = finish(recorder).await;
            let failure = outcome
                .as_ref()
                .map(|problem| Failure::new(FailureKind::Sound, problem.clone()));
            // The engine may be gone.
            let ended = RecordingNews::Ended(outcome);
            let _ = news.send(News::Recording(what, ended)).await;
            reply(answer, failure.map_or(Ok(done(what, path)), Err));
        });
    }

    pub(super) fn handle_recording(&mut self, what: Recorded, news: RecordingNews) {
        let (problem, path) = match news {
            RecordingNews::Begun(path) => {
                return tracing::info!(path = %path.display(), "recording");
            }
            RecordingNews::Failed(problem) => {
                self.recordings.remove(&what);
                (Some(problem), None)
            }
            RecordingNews::Ended(problem) => (problem, self.recordings.remove(&what)),
        };
        if let Some(problem) = &problem {
            tracing::warn!(%problem, "recording");
            self.terminal.notice(problem);
        }
        match what {
            Recorded::Call(call) => {
                if let Some(edge) = self.calls.get_mut(&CallId(call)) {
                    edge.recorded.extend(path);
                    edge.problem = problem.or(edge.problem.take());
                }
                self.finish(CallId(call));
            }
            Recorded::Conference => self.conference_problem = problem,
        }
    }

    /// Records a call that was just answered, if all calls are to be recorded.
    pub(super) fn record_if_wanted(&mut self, call: CallId) {
        if self.record_calls.is_some() {
            self.record(Recorded::Call(call.0), None, None);
        }
    }

    fn tape(&self, what: Recorded) -> Result<Tape, Failure> {
        let refuse = |text| Failure::new(FailureKind::NotPossible, text);
        match what {
            Recorded::Call(call) => {
                let call = CallId(call);
                let talks = |view: &&softphone_core::CallView| {
                    let phases = [Phase::Connected, Phase::Held, Phase::HeldByPeer];
                    view.id == call && phases.contains(&view.phase)
                };
                let is_there = self.view.calls.iter().any(|view| talks(&view));
                let edge = self.calls.get(&call).filter(|_| is_there);
                let media = edge.and_then(|edge| edge.media.as_ref());
                media
                    .map(|media| Tape::Call(media.port().clone()))
                    .ok_or_else(|| refuse("there is no such call to record"))
            }
            Recorded::Conference => {
                let room = self.desk.room.clone();
                room.map(Tape::Room)
                    .ok_or_else(|| refuse("there is no conference"))
            }
        }
    }

    /// A file of its own, by the time of day.
    fn file_for(&self, what: Recorded) -> PathBuf {
        let usual = || self.folder.path().join(USUAL_FOLDER);
        let folder = self.record_calls.clone().unwrap_or_else(usual);
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let name = match what {
            Recorded::Call(call) => format!("call-{call}"),
            Recorded::Conference => "conference".to_owned(),
        };
        folder.join(format!("{}-{name}.{USUAL_ENDING}", time_text(seconds)))
    }
}

/// A file that does not exist yet, in a folder that may have to be made. Blocks.
fn create(path: &Path, format: RecordingFormat) -> Result<Recorder, String> {
    // What is no file, a device or a pipe, has nothing to be lost.
    if path.is_file() {
        return Err(format!(
            "{} exists already; name another file",
            path.display()
        ));
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("the folder {} cannot be made: {error}", folder.display()))?;
    }
    Recorder::create(path, format).map_err(|error| sound::chain(&error))
}

/// Makes the folder in which calls are to be kept, and sees whether it can be written to. Blocks for a
/// moment.
///
/// # Errors
///
/// [`FailureKind::Sound`] while somebody is there to hear it.
pub(super) fn check(folder: &Path) -> Result<(), Failure> {
    let made = std::fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
    match made {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::new(
            FailureKind::Sound,
            format!("calls cannot be kept in {}: {error}", folder.display()),
        )),
    }
}

/// Ends a file; a sentence if it ended early.
pub(super) async fn finish(recorder: Recorder) -> Option<String> {
    let finished: Result<Result<Recording, RecordError>, _> =
        tokio::task::spawn_blocking(move || recorder.finish()).await;
    match finished {
        Ok(Ok(recording)) if recording.lost.is_zero() => None,
        Ok(Ok(recording)) => Some(format!(
            "the disk was too slow: {:.1} s of the recording are silence",
            recording.lost.as_secs_f64()
        )),
        Ok(Err(error)) => Some(sound::chain(&error)),
        Err(_) => Some("the recording broke down".to_owned()),
    }
}

/// What a file's name says.
fn format_of(path: &Path) -> Result<RecordingFormat, Failure> {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    match ending.to_ascii_lowercase().as_str() {
        "wav" => Ok(RecordingFormat::Wav),
        "opus" | "ogg" | "oga" => Ok(RecordingFormat::OggOpus),
        _ => Err(Failure::new(
            FailureKind::Usage,
            "a recording is a .wav file, or .opus or .ogg for Ogg Opus",
        )),
    }
}

fn done(what: Recorded, file: Option<PathBuf>) -> Done {
    let call = match what {
        Recorded::Call(call) => Some(call),
        Recorded::Conference => None,
    };
    Done { call, file }
}

fn reply(answer: Option<Answer>, result: Result<Done, Failure>) {
    if let Some(answer) = answer {
        // The client may be gone.
        let _ = answer.send(result);
    }
}

/// Seconds since 1970 as `2026-11-22T10-45-00Z`: sorts by time, and is a file name everywhere.
fn time_text(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Years begin in March here, so that leap days come last; 400 years have 146,097 days.
    let day = days + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(time_text(0), "1970-01-01T00-00-00Z");
        assert_eq!(time_text(951_782_399), "2000-02-28T23-59-59Z");
        assert_eq!(time_text(951_868_800), "2000-03-01T00-00-00Z");
        assert_eq!(time_text(1_763_808_300), "2025-11-22T10-45-00Z");
    }

    #[test]
    fn the_name_of_a_file_says_what_it_is_and_files_that_are_there_are_kept() {
        let of = |name: &str| format_of(Path::new(name));
        assert_eq!(of("a.WAV"), Ok(RecordingFormat::Wav));
        assert_eq!(of("a.ogg"), Ok(RecordingFormat::OggOpus));
        assert_eq!(of("a.opus"), Ok(RecordingFormat::OggOpus));
        assert_eq!(of("a.mp3").unwrap_err().kind, FailureKind::Usage);
        assert_eq!(of("a").unwrap_err().kind, FailureKind::Usage);

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/call.wav");
        drop(create(&path, RecordingFormat::Wav).unwrap());
        let problem = create(&path, RecordingFormat::Wav).err().unwrap();
        assert!(problem.contains("exists already"), "{problem}");
        let below_a_file = path.join("x.wav");
        let problem = create(&below_a_file, RecordingFormat::Wav).err().unwrap();
        assert!(problem.contains("cannot be made"), "{problem}");
    }
}
