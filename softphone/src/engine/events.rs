//! What comes from the phone and from the media of its calls.

use media_io::LocalCandidates;
use sdp::{MediaSecurity, Negotiated};
use softphone_core::{Action, CallDirection, CallEnded, CallId, CallView, Event, LineId, Phase};

use super::media::{CallMedia, MediaNews, NO_PATH};
use super::recording::{self, RecordingNews};
use super::{Answering, EdgeCall, Engine, MAX_ENDED, News, reach, state};
use crate::control::protocol::{Done, Recorded};
use crate::failure::Failure;
use crate::terminal::{call_text, ended_text, lines_text};

impl Engine {
    pub(super) fn handle_event(&mut self, event: Event) {
        let line_before = match &event {
            Event::Line(line) => self
                .view
                .lines
                .iter()
                .find(|known| known.id == line.id)
                .cloned(),
            _ => None,
        };
        self.view.apply(&event);
        match event {
            Event::Reply { reply, result } => {
                let files = self.files.remove(&reply);
                if let (Ok(Some(call)), Some(files)) = (&result, files) {
                    self.calls.entry(*call).or_default().files = files;
                }
                if let Some(answer) = self.replies.remove(&reply) {
                    let answered = result
                        .map(|call| Done {
                            call: call.map(|call| call.0),
                            file: None,
                        })
                        .map_err(|refusal| self.refused(&refusal));
                    // The client may be gone.
                    let _ = answer.send(answered);
                }
            }
            Event::Line(line) => {
                if line_before.is_none_or(|before| before.status != line.status) {
                    let shown = state::line_state(&line);
                    self.terminal
                        .result(&shown, &lines_text(std::slice::from_ref(&shown)));
                }
            }
            Event::LineGone(_) => {}
            Event::Call(call) => self.handle_call(&call),
            Event::CallEnded(ended) => self.handle_ended(ended),
            Event::OpenMedia {
                call,
                line,
                direction,
            } => self.open_media(call, line, direction),
            Event::UpdateMedia { call, negotiated } => self.update_media(call, &negotiated),
            Event::CloseMedia { call } => self.close_media(call),
            Event::SendDigits { call, digits } => {
                let Some(edge) = self.calls.get_mut(&call) else {
                    return;
                };
                let Some(media) = &edge.media else { return };
                if let Err(problem) = media.send_digits(digits.0) {
                    edge.problem = Some(problem);
                }
            }
        }
    }

    pub(super) fn handle_news(&mut self, news: News) {
        match news {
            News::Prepared {
                profile,
                lines,
                saved,
            } => {
                self.handle_prepared(*profile, lines, saved);
            }
            News::Directory(renewed) => self.handle_directory(*renewed),
            News::Media {
                call,
                news: MediaNews::Digit(digit),
            } => {
                self.command(Action::DigitReceived { call, digit });
            }
            News::Media {
                call,
                news: MediaNews::Problem(problem),
            } => {
                tracing::warn!(%call, %problem, "sound of a call");
                if let Some(edge) = self.calls.get_mut(&call) {
                    edge.problem = Some(problem);
                }
            }
            News::Media {
                call,
                news: MediaNews::Secured(secured),
            } => {
                if let Some(edge) = self.calls.get_mut(&call) {
                    edge.secured = Some(secured);
                }
            }
            News::Media {
                call,
                news: MediaNews::NotSecured(failure),
            } => {
                tracing::warn!(%call, %failure, "the sound of a call cannot be secured");
                if let Some(edge) = self.calls.get_mut(&call) {
                    edge.secured = None;
                    edge.problem = Some(format!("there is no sound: {failure}"));
                }
            }
            News::Media {
                call,
                news: MediaNews::Gathered(local),
            } => self.handle_gathered(call, &local),
            News::Media {
                call,
                news: MediaNews::Path,
            } => {
                let edge = self.calls.get_mut(&call);
                if let Some(edge) = edge.filter(|edge| edge.problem.as_deref() == Some(NO_PATH)) {
                    edge.problem = None;
                }
            }
            News::Media {
                call,
                news: MediaNews::Quality(quality),
            } => {
                if let Some(edge) = self.calls.get_mut(&call) {
                    edge.quality = Some(quality);
                }
            }
            News::Closed {
                call,
                summary,
                recorded,
            } => {
                if let Some(edge) = self.calls.get_mut(&call) {
                    edge.is_closing = false;
                    edge.summary = summary.map(|summary| *summary);
                }
                match recorded {
                    Some(outcome) => {
                        let ended = RecordingNews::Ended(outcome);
                        self.handle_recording(Recorded::Call(call.0), ended);
                    }
                    None => self.finish(call),
                }
            }
            News::ToneOver(number) => self.end_tone(number),
            News::Card(problem) => {
                if self.card_news.is_new(&problem) {
                    tracing::warn!(%problem, "sound card");
                }
                for edge in self.calls.values_mut().filter(|edge| edge.media.is_some()) {
                    edge.problem = Some(problem.clone());
                }
            }
            News::Cards(present) => {
                let wanted = self.sound.usual().cards();
                if let Some(sentence) = self.card_news.missing(&wanted, &present) {
                    self.terminal.notice(sentence);
                }
            }
            News::Recording(what, news) => self.handle_recording(what, news),
        }
    }

    fn handle_call(&mut self, call: &CallView) {
        let edge = self.calls.entry(call.id).or_default();
        let is_new = edge.told.is_none();
        let changed = edge.told.replace(call.phase) != Some(call.phase);
        let answered = call.answered_after.is_some();
        let is_answered_now = answered && !std::mem::replace(&mut edge.was_answered, answered);
        if changed && call.phase != Phase::Ending {
            let shown = self.call_state(call);
            self.terminal.result(&shown, &call_text(&shown));
        }
        if is_answered_now {
            self.record_if_wanted(call.id);
        }
        self.arrange();
        let incoming = call.direction == CallDirection::Incoming;
        if is_new && incoming && self.answering == Answering::AtOnce {
            let edge = self.calls.entry(call.id).or_default();
            // Nobody waits with a finger on the button.
            if self.reach.is_some() && !edge.is_gathered {
                edge.is_answered_when_gathered = true;
            } else {
                self.command(Action::Answer(Some(call.id)));
            }
        }
    }

    fn open_media(&mut self, call: CallId, line: LineId, direction: CallDirection) {
        let ip = self.configs.get(&line).map(|line| line.local.ip);
        let opened = ip
            .ok_or_else(|| "the line is gone".to_owned())
            .and_then(|ip| {
                let card = self.card_for(&self.sound.usual());
                let (certificate, news) = (self.certificate.clone(), self.news.clone());
                let (reach, ports) = (self.reach.clone(), self.rtp_ports);
                let _on_the_media_thread = self.media_thread.enter();
                CallMedia::open(call, (ip, ports), certificate, reach, card, news)
            });
        match opened {
            Ok(media) => {
                let first = media.candidates();
                let edge = self.calls.entry(call).or_default();
                edge.media = Some(media);
                if let Some(first) = first {
                    // Who is called should learn all addresses, and nobody is kept waiting for them.
                    edge.is_opened_when_gathered = direction == CallDirection::Outgoing;
                    self.tell_candidates(call, &first);
                }
                self.arrange();
                self.tell_ports(call);
            }
            Err(error) => {
                tracing::error!(%error, "no ports for a call");
                let reason = error;
                self.command(Action::MediaFailed { call, reason });
            }
        }
    }

    /// Tells where a call's media is received, unless that has to wait.
    fn tell_ports(&mut self, call: CallId) {
        let Some(edge) = self.calls.get(&call) else {
            return;
        };
        if let (Some(media), false) = (&edge.media, edge.is_opened_when_gathered) {
            let local = media.local();
            self.command(Action::MediaOpened { call, local });
        }
    }

    fn tell_candidates(&mut self, call: CallId, local: &LocalCandidates) {
        self.command(Action::MediaCandidates {
            call,
            default: local.default,
            ice: reach::for_descriptions(local),
        });
    }

    /// As much is known of a call's candidates as anybody waits for.
    fn handle_gathered(&mut self, call: CallId, local: &LocalCandidates) {
        self.tell_candidates(call, local);
        let Some(edge) = self.calls.get_mut(&call) else {
            return;
        };
        edge.is_gathered = true;
        let opens = std::mem::take(&mut edge.is_opened_when_gathered);
        let answers = std::mem::take(&mut edge.is_answered_when_gathered);
        if opens {
            self.tell_ports(call);
        }
        if answers {
            self.command(Action::Answer(Some(call)));
        }
    }

    fn update_media(&mut self, call: CallId, negotiated: &Negotiated) {
        let Some(edge) = self.calls.get_mut(&call) else {
            return;
        };
        if negotiated.security == MediaSecurity::Plain {
            edge.secured = None;
        }
        let Some(media) = &edge.media else { return };
        let sound = self.sound.for_call(call, &edge.files);
        if let Err(problem) = media.update(negotiated, sound) {
            edge.problem = Some(problem);
        }
    }

    fn close_media(&mut self, call: CallId) {
        let Some(edge) = self.calls.get_mut(&call) else {
            return;
        };
        let Some(media) = edge.media.take() else {
            return;
        };
        edge.is_closing = true;
        let news = self.news.clone();
        self.tasks.spawn(async move {
            let port = media.port().clone();
            let summary = media.close().await.map(Box::new);
            let recorded = match port.stop_recording() {
                Some(recorder) => Some(recording::finish(recorder).await),
                None => None,
            };
            let closed = News::Closed {
                call,
                summary,
                recorded,
            };
            // The engine may be gone.
            let _ = news.send(closed).await;
        });
    }

    fn handle_ended(&mut self, ended: Box<CallEnded>) {
        let call = ended.call.id;
        self.note_end(&ended);
        self.calls.entry(call).or_default().ended = Some(ended);
        self.arrange();
        self.finish(call);
    }

    /// Tells the end of a call once everything about it is known.
    pub(super) fn finish(&mut self, call: CallId) {
        let known = |edge: &EdgeCall| edge.ended.is_some() && !edge.is_closing;
        if self.recordings.contains_key(&Recorded::Call(call.0))
            || !self.calls.get(&call).is_some_and(known)
        {
            return;
        }
        let edge = self.calls.remove(&call);
        let Some(EdgeCall {
            ended: Some(ended),
            mut summary,
            recorded,
            ..
        }) = edge
        else {
            return;
        };
        if let Some(summary) = &mut summary {
            summary.recordings = recorded;
        }
        let known = self.directory_name(&ended.call);
        let mut ended = state::ended_call(&ended, self.line_name(ended.call.line), summary);
        ended.party = known.unwrap_or(ended.party);
        self.terminal.result(&ended, &ended_text(&ended));
        if self.ended.len() == MAX_ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back(ended);
    }

    /// A refused call says what is wrong with its line.
    fn refused(&self, refusal: &softphone_core::Refusal) -> Failure {
        let mut failure = state::refused(refusal);
        if let softphone_core::Refusal::NotConnected { .. } = refusal {
            let failed = self
                .view
                .lines
                .iter()
                .map(state::line_state)
                .find_map(|line| line.kind);
            failure.kind = failed.unwrap_or(failure.kind);
        }
        failure
    }
}
