//! Frames that wait between two clocks which are nearly the same.

use std::collections::VecDeque;

use media::Frame;

/// Frames that wait before the first is taken, so that a look that comes late leaves no gap: 20 ms.
const RESERVE: usize = 2;
/// Most frames that wait; the oldest go first.
const MAX_WAITING: usize = 6;

/// See the module header.
#[derive(Debug, Default)]
pub(super) struct Queue {
    frames: VecDeque<Frame>,
    /// Whether there has been enough since it was last empty.
    flows: bool,
}

impl Queue {
    pub(super) fn push(&mut self, frame: &Frame) {
        if self.frames.len() == MAX_WAITING {
            self.frames.pop_front();
        }
        self.frames.push_back(*frame);
        self.flows |= self.frames.len() >= RESERVE;
    }

    /// The next frame; `None` while too little has come.
    pub(super) fn pop(&mut self) -> Option<Frame> {
        if !self.flows {
            return None;
        }
        let frame = self.frames.pop_front();
        self.flows = frame.is_some();
        frame
    }

    /// The next frame, whether or not there is a reserve: for who looks first how many wait.
    pub(super) fn take(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }

    /// Frames that fill it up to its reserve.
    pub(super) fn wanted(&self) -> usize {
        RESERVE.saturating_sub(self.frames.len())
    }

    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.flows = false;
    }
}

#[cfg(test)]
mod tests {
    use media::FRAME_SAMPLES;

    use super::*;

    #[test]
    fn a_reserve_is_built_first_and_again_after_a_gap_and_old_frames_give_way() {
        let mut queue = Queue::default();
        let frame = |n| [n; FRAME_SAMPLES];
        queue.push(&frame(1));
        assert_eq!((queue.pop(), queue.wanted()), (None, 1));
        queue.push(&frame(2));
        assert_eq!(queue.pop(), Some(frame(1)));
        assert_eq!(queue.pop(), Some(frame(2)));
        assert_eq!(queue.pop(), None, "it ran dry");
        queue.push(&frame(3));
        assert_eq!(queue.pop(), None, "and fills up again");
        for n in 4..=9 {
            queue.push(&frame(n));
        }
        assert_eq!((queue.len(), queue.pop()), (MAX_WAITING, Some(frame(4))));
    }
}
