//! Which datagrams leave as segments of one send.
//!
//! Linux takes datagrams to one peer as one piece and a size to cut it by (`UDP_SEGMENT`, udp(7)),
//! and walks its layers once for all of them. An edge proxy or a trunk gets most of its messages
//! that way, when many come in a turn; a phone never more than one or two.
//! What arrives is what would arrive without it, in the same order.

use std::collections::VecDeque;

use super::Outgoing;

/// Most segments of one piece that every kernel takes.
const MAX_SEGMENTS: usize = 64;

/// Bytes of a segment that fit every path of IPv6 (RFC 8200, section 5) behind the headers of IPv6
/// and UDP: one that had to be parted on the way would have the whole piece refused.
const MAX_SEGMENT: usize = 1_280 - 40 - 8;

/// Bytes of a piece: what a length of 16 bits leaves behind the headers.
const MAX_PIECE: usize = 65_535 - 40 - 8;

/// How many of the first datagrams can leave as segments of one send: 1 if there is no second one.
pub(super) fn first_piece(outgoing: &VecDeque<Outgoing>) -> usize {
    let Some(first) = outgoing.front() else {
        return 0;
    };
    let size = first.bytes.len();
    if size > MAX_SEGMENT {
        return 1;
    }
    let most = MAX_SEGMENTS.min(MAX_PIECE / size.max(1));
    let mut count = 1;
    for next in outgoing.iter().skip(1).take(most - 1) {
        if !follows(first, next) {
            break;
        }
        count += 1;
        // Only the last segment may be shorter.
        if next.bytes.len() < size {
            break;
        }
    }
    count
}

/// How many of the first datagrams leave one by one, before a piece of several begins.
pub(super) fn before_piece(outgoing: &VecDeque<Outgoing>) -> usize {
    let mut pairs = outgoing.iter().zip(outgoing.iter().skip(1));
    pairs
        .position(|(first, next)| first.bytes.len() <= MAX_SEGMENT && follows(first, next))
        .unwrap_or(outgoing.len())
}

/// Whether `next` can be a segment of a piece that `first` began.
fn follows(first: &Outgoing, next: &Outgoing) -> bool {
    next.peer == first.peer
        && next.from == first.from
        && (1..=first.bytes.len()).contains(&next.bytes.len())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use sip::TransmitId;

    use super::*;

    /// Datagrams to ports of one host, of so many bytes.
    fn queue(datagrams: &[(u16, usize)]) -> VecDeque<Outgoing> {
        let outgoing = |&(port, bytes)| Outgoing {
            id: TransmitId(1),
            from: None,
            peer: ([127, 0, 0, 1], port).into(),
            bytes: Bytes::from(vec![0; bytes]),
        };
        datagrams.iter().map(outgoing).collect()
    }

    #[test]
    fn datagrams_of_one_size_to_one_peer_make_a_piece() {
        assert_eq!(first_piece(&queue(&[])), 0);
        assert_eq!(first_piece(&queue(&[(1, 400)])), 1);
        assert_eq!(first_piece(&queue(&[(1, 400), (1, 400), (1, 400)])), 3);
        assert_eq!(first_piece(&queue(&[(1, 400), (1, 400), (2, 400)])), 2);
        assert_eq!(first_piece(&queue(&[(1, 400), (2, 400), (1, 400)])), 1);
    }

    #[test]
    fn a_shorter_datagram_ends_a_piece_and_a_longer_one_begins_another() {
        assert_eq!(first_piece(&queue(&[(1, 400), (1, 300), (1, 300)])), 2);
        assert_eq!(first_piece(&queue(&[(1, 400), (1, 401)])), 1);
        assert_eq!(first_piece(&queue(&[(1, 400), (1, 0)])), 1);
        assert_eq!(first_piece(&queue(&[(1, 0), (1, 0)])), 1);
    }

    #[test]
    fn a_piece_has_the_bounds_of_the_system() {
        assert_eq!(first_piece(&queue(&[(1, 400); 100])), 64);
        assert_eq!(first_piece(&queue(&[(1, 1_232); 100])), 53);
        assert_eq!(first_piece(&queue(&[(1, 1_233); 100])), 1);
    }

    #[test]
    fn what_leaves_from_different_addresses_makes_no_piece() {
        let mut queue = queue(&[(1, 400), (1, 400)]);
        queue[1].from = Some([127, 0, 0, 2].into());
        assert_eq!(first_piece(&queue), 1);
        assert_eq!(before_piece(&queue), 2);
    }

    #[test]
    fn datagrams_before_a_piece_are_counted() {
        assert_eq!(before_piece(&queue(&[])), 0);
        assert_eq!(before_piece(&queue(&[(1, 400), (2, 400)])), 2);
        assert_eq!(before_piece(&queue(&[(1, 400), (2, 9), (2, 9)])), 1);
        assert_eq!(before_piece(&queue(&[(1, 1_233), (1, 1_233), (1, 9)])), 3);
    }
}
