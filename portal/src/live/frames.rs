//! What was sent of a tenant's statuses: numbered frames, the last of them kept, and a snapshot for whoever comes new.
//!
//! A frame is written once and shared by everybody. A snapshot comes in parts, so that no queue holds a large tenant
//! as a whole for each page, and is made anew only when the frames since would be too many to send after it.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use api::{AccountLive, DeviceLive, LiveFrame, LiveList, LivePosition};
use axum::extract::ws::Utf8Bytes;
use tokio::sync::broadcast;
use tracing::warn;
use uuid::Uuid;

use super::directory::{Directory, Moved};
use crate::{following::Following, presence::Presence};

/// What was sent.
#[derive(Debug)]
pub(super) struct Frames {
    epoch: Uuid,
    seq: u64,
    devices: HashMap<Uuid, DeviceLive>,
    accounts: HashMap<Uuid, AccountLive>,
    kept: Kept,
    snapshot: Option<Snapshot>,
    sender: broadcast::Sender<Numbered>,
}

/// A frame as text, made once for everybody.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    pub(crate) seq: u64,
    pub(crate) text: Utf8Bytes,
}

/// A place in the stream of frames.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// To be sent first.
    pub(crate) first: Vec<Utf8Bytes>,
    /// To be sent then.
    pub(crate) frames: Following,
    /// Where the page is when it has what comes first.
    pub(crate) position: LivePosition,
}

/// The last frames, as many as a page may have missed.
#[derive(Debug, Default)]
struct Kept {
    frames: VecDeque<Numbered>,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Snapshot {
    seq: u64,
    parts: Arc<[Utf8Bytes]>,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self {
            epoch: Uuid::new_v4(),
            seq: 0,
            devices: HashMap::new(),
            accounts: HashMap::new(),
            kept: Kept::default(),
            snapshot: None,
            sender: broadcast::Sender::new(QUEUE),
        }
    }

    pub(super) fn is_watched(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    /// Sends what is different now of what may have moved, and which lists have other rows.
    pub(super) fn update(
        &mut self,
        moved: &Moved,
        directory: &Directory,
        presence: &Presence,
        lists: Vec<LiveList>,
    ) {
        let devices = news(&mut self.devices, &moved.devices, |id| {
            directory.device(id, presence)
        });
        let accounts = news(&mut self.accounts, &moved.accounts, |id| {
            directory.account(id, presence)
        });
        if devices.is_empty() && accounts.is_empty() && lists.is_empty() {
            return;
        }
        let mut lists = Some(lists);
        for part in 0..parts(&devices, &accounts) {
            self.seq += 1;
            self.send(&LiveFrame::Delta {
                seq: self.seq,
                devices: slice(&devices, part),
                accounts: slice(&accounts, part),
                lists: lists.take().unwrap_or_default(),
            });
        }
    }

    fn send(&mut self, frame: &LiveFrame) {
        let Some(text) = text_of(frame) else { return };
        let frame = Numbered {
            seq: self.seq,
            text,
        };
        self.kept.push(frame.clone());
        // An error says that nobody listens.
        let _ = self.sender.send(frame);
    }

    /// After `position`, or with a snapshot.
    pub(super) fn subscribe(&mut self, position: Option<LivePosition>) -> Subscription {
        let frames = Following::new(self.sender.subscribe());
        let missed = position.and_then(|position| self.missed(position));
        let first = missed.unwrap_or_else(|| self.whole());
        let position = LivePosition {
            epoch: self.epoch,
            seq: self.seq,
        };
        Subscription {
            first,
            frames,
            position,
        }
    }

    /// The frames after `position`, if all of them are still kept.
    fn missed(&self, position: LivePosition) -> Option<Vec<Utf8Bytes>> {
        let known = position.epoch == self.epoch && position.seq <= self.seq;
        known
            .then(|| self.kept.after(position.seq, self.seq))
            .flatten()
    }

    /// A snapshot and the frames since.
    fn whole(&mut self) -> Vec<Utf8Bytes> {
        let made = self.snapshot.clone().and_then(|snapshot| {
            let since = self.kept.after(snapshot.seq, self.seq)?;
            (since.len() <= MOST_AFTER_SNAPSHOT).then_some((snapshot, since))
        });
        let (snapshot, since) = made.unwrap_or_else(|| (self.take_snapshot(), Vec::new()));
        snapshot.parts.iter().cloned().chain(since).collect()
    }

    fn take_snapshot(&mut self) -> Snapshot {
        let mut devices: Vec<_> = self.devices.values().cloned().collect();
        let mut accounts: Vec<_> = self.accounts.values().cloned().collect();
        devices.sort_unstable_by_key(|device| device.id);
        accounts.sort_unstable_by_key(|account| account.id);
        let last = parts(&devices, &accounts) - 1;
        let parts = (0..=last).filter_map(|part| {
            text_of(&LiveFrame::Snapshot {
                epoch: self.epoch,
                seq: self.seq,
                first: part == 0,
                last: part == last,
                devices: slice(&devices, part),
                accounts: slice(&accounts, part),
            })
        });
        let snapshot = Snapshot {
            seq: self.seq,
            parts: parts.collect(),
        };
        self.snapshot = Some(snapshot.clone());
        snapshot
    }
}

impl Kept {
    fn push(&mut self, frame: Numbered) {
        self.bytes += frame.text.len();
        self.frames.push_back(frame);
        while self.frames.len() > MOST_KEPT || self.bytes > MOST_KEPT_BYTES {
            let Some(gone) = self.frames.pop_front() else {
                break;
            };
            self.bytes -= gone.text.len();
        }
    }

    /// The frames after number `seq` up to the last, `last`; `None` if some are no longer there.
    fn after(&self, seq: u64, last: u64) -> Option<Vec<Utf8Bytes>> {
        let oldest = self.frames.front().map_or(last + 1, |frame| frame.seq);
        let newer = || self.frames.iter().filter(|frame| frame.seq > seq);
        (seq + 1 >= oldest).then(|| newer().map(|frame| frame.text.clone()).collect())
    }
}

/// Takes in what is different now of `moved`, and gives it; what is no more is forgotten.
fn news<T: Clone + PartialEq>(
    sent: &mut HashMap<Uuid, T>,
    moved: &HashSet<Uuid>,
    now: impl Fn(Uuid) -> Option<T>,
) -> Vec<T> {
    let mut news = Vec::new();
    for id in moved {
        match now(*id) {
            None => {
                sent.remove(id);
            }
            Some(now) if sent.get(id) == Some(&now) => {}
            Some(now) => {
                sent.insert(*id, now.clone());
                news.push(now);
            }
        }
    }
    news
}

/// How many frames these take.
fn parts(devices: &[DeviceLive], accounts: &[AccountLive]) -> usize {
    let longest = devices.len().max(accounts.len());
    longest.div_ceil(ROWS_PER_PART).max(1)
}

fn slice<T: Clone>(rows: &[T], part: usize) -> Vec<T> {
    let rows = rows.iter().skip(part * ROWS_PER_PART).take(ROWS_PER_PART);
    rows.cloned().collect()
}

fn text_of(frame: &LiveFrame) -> Option<Utf8Bytes> {
    match serde_json::to_string(frame) {
        Ok(text) => Some(text.into()),
        Err(error) => {
            warn!(%error, "a live frame could not be written");
            None
        }
    }
}

/// Frames to catch up with: a minute at the highest rate, unless they are large.
const MOST_KEPT: usize = 3000;
const MOST_KEPT_BYTES: usize = 8 << 20;
/// Frames a page may lag behind before it joins anew.
const QUEUE: usize = 256;
/// More than these and a new snapshot is made.
const MOST_AFTER_SNAPSHOT: usize = 250;
/// Devices, and as many accounts, in one frame: about a hundred kilobytes.
const ROWS_PER_PART: usize = 500;

#[cfg(test)]
mod tests {
    use api::{AccountStatus, DeviceStatus};
    use store::device::Applied;
    use store::standing::{AccountStanding, DeviceStanding};

    use super::*;

    struct Office {
        directory: Directory,
        presence: Presence,
        frames: Frames,
        phones: Vec<Uuid>,
    }

    /// An office with so many phones of one line each, after the first look at all of them.
    fn office(phones: u128) -> Office {
        let ids: Vec<_> = (1..=phones).map(Uuid::from_u128).collect();
        let line = |phone: &Uuid| Uuid::from_u128(phone.as_u128() + 1_000_000);
        let devices = ids.iter().map(|id| DeviceStanding {
            id: *id,
            activated: true,
            applied: Applied::Current,
            instructions: None,
            desk_phone: false,
            accounts: vec![line(id)],
        });
        let accounts = ids.iter().map(|id| AccountStanding {
            id: line(id),
            aor: format!("sip:{}@acme.tandem.localhost", id.as_u128()),
        });
        let directory = Directory::new(devices.collect(), accounts.collect());
        let mut office = Office {
            directory,
            presence: Presence::default(),
            frames: Frames::new(),
            phones: ids,
        };
        let everything = office.directory.everything();
        office.update(&everything);
        office
    }

    impl Office {
        fn update(&mut self, moved: &Moved) {
            self.frames
                .update(moved, &self.directory, &self.presence, Vec::new());
        }

        /// The first phone comes if it is not there, and goes if it is.
        fn flap(&mut self) {
            let phone = self.phones[0];
            if self.presence.is_device_online(phone) {
                self.presence.channel_closed(phone);
            } else {
                self.presence.channel_opened(phone);
            }
            let mut moved = Moved::default();
            self.directory.device_moved(phone, &mut moved);
            self.update(&moved);
        }
    }

    fn read(text: &Utf8Bytes) -> LiveFrame {
        serde_json::from_str(text).unwrap()
    }

    fn seqs(frames: &[Utf8Bytes]) -> Vec<u64> {
        let seq = |text| match read(text) {
            LiveFrame::Snapshot { seq, .. } | LiveFrame::Delta { seq, .. } => seq,
        };
        frames.iter().map(seq).collect()
    }

    #[test]
    fn only_what_changed_is_sent() {
        let mut office = office(1);
        let mut subscription = office.frames.subscribe(None);
        let LiveFrame::Snapshot {
            devices, accounts, ..
        } = read(&subscription.first[0])
        else {
            panic!("a snapshot comes first");
        };
        assert_eq!(devices[0].status, DeviceStatus::Offline);
        assert_eq!(accounts[0].status, AccountStatus::Offline);

        office.update(&office.directory.everything());
        office.flap();
        let LiveFrame::Delta {
            seq,
            devices,
            accounts,
            ..
        } = read(&subscription.frames.try_recv().unwrap().text)
        else {
            panic!("then differences");
        };
        assert_eq!((seq, devices.len(), accounts.len()), (2, 1, 0));
        assert_eq!(devices[0].status, DeviceStatus::Online);
        assert!(subscription.frames.try_recv().is_err());
    }

    #[test]
    fn a_page_that_comes_back_gets_what_it_missed() {
        let mut office = office(1);
        for _ in 0..4 {
            office.flap();
        }
        assert_eq!(office.frames.seq, 5);
        let epoch = office.frames.epoch;
        let at = |seq| Some(LivePosition { epoch, seq });
        let mut first = |position| seqs(&office.frames.subscribe(position).first);
        assert!(first(at(5)).is_empty());
        assert_eq!(first(at(2)), [3, 4, 5]);
        let stranger = Some(LivePosition {
            epoch: Uuid::new_v4(),
            seq: 3,
        });
        assert_eq!(first(at(6)), [5]);
        assert_eq!(first(stranger), [5]);
    }

    #[test]
    fn what_is_no_longer_kept_is_replaced_by_a_snapshot() {
        let mut office = office(1);
        for _ in 0..=MOST_KEPT {
            office.flap();
        }
        let position = LivePosition {
            epoch: office.frames.epoch,
            seq: 1,
        };
        let first = office.frames.subscribe(Some(position)).first;
        assert!(matches!(read(&first[0]), LiveFrame::Snapshot { .. }));
    }

    #[test]
    fn few_large_frames_are_kept() {
        let mut kept = Kept::default();
        let large = Numbered {
            seq: 1,
            text: "x".repeat(MOST_KEPT_BYTES / 2 + 1).into(),
        };
        kept.push(large.clone());
        kept.push(Numbered { seq: 2, ..large });
        assert_eq!(kept.after(0, 2), None);
        assert_eq!(kept.after(1, 2).unwrap().len(), 1);
    }

    #[test]
    fn a_snapshot_of_many_comes_in_parts_and_serves_those_who_come_soon_after() {
        let many = ROWS_PER_PART + 1;
        let mut office = office(many as u128);
        let first = office.frames.subscribe(None).first;
        let parts: Vec<_> = first.iter().map(read).collect();
        let [
            LiveFrame::Snapshot {
                devices: some,
                first: true,
                last: false,
                ..
            },
            LiveFrame::Snapshot {
                devices: rest,
                first: false,
                last: true,
                ..
            },
        ] = &parts[..]
        else {
            panic!("two parts: {parts:?}");
        };
        assert_eq!((some.len(), rest.len()), (ROWS_PER_PART, 1));

        let taken = office.frames.seq;
        office.flap();
        let again = office.frames.subscribe(None).first;
        assert_eq!(seqs(&again), [taken, taken, taken + 1]);
        for _ in 0..MOST_AFTER_SNAPSHOT {
            office.flap();
        }
        let anew = office.frames.subscribe(None).first;
        let now = office.frames.seq;
        assert_eq!(seqs(&anew), [now, now]);
    }
}
