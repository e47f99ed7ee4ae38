//! Which way media flows, seen from the side that wrote the description (RFC 3264 section 5.1).

use std::fmt;

/// Direction of a media stream, from the writer's point of view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways; what holds when nothing is written.
    #[default]
    SendRecv,
    /// The writer only sends: how one puts the other on hold.
    SendOnly,
    /// The writer only receives.
    RecvOnly,
    /// Neither; RTCP goes on.
    Inactive,
}

impl Direction {
    /// The direction that allows exactly these two things.
    #[must_use]
    pub fn of(parts: DirectionParts) -> Self {
        match (parts.sends, parts.receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// The writer may send.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// The writer expects to receive.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same stream seen from the other side.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::SendOnly => Self::RecvOnly,
            Self::RecvOnly => Self::SendOnly,
            both_or_none => both_or_none,
        }
    }

    /// What both allow; both seen from the same side.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self::of(DirectionParts {
            sends: self.sends() && other.sends(),
            receives: self.receives() && other.receives(),
        })
    }

    /// The attribute name, as `a=` carries it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// The direction that an attribute of this name means, if it means one.
    #[must_use]
    pub fn from_attribute(name: &str) -> Option<Self> {
        [
            Self::SendRecv,
            Self::SendOnly,
            Self::RecvOnly,
            Self::Inactive,
        ]
        .into_iter()
        .find(|direction| direction.as_str().eq_ignore_ascii_case(name))
    }
}

/// The two halves of a direction, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectionParts {
    /// The writer may send.
    pub sends: bool,
    /// The writer expects to receive.
    pub receives: bool,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Direction::{Inactive, RecvOnly, SendOnly, SendRecv};

    #[test]
    fn intersection_keeps_only_what_both_allow() {
        assert_eq!(SendRecv.intersect(SendOnly), SendOnly);
        assert_eq!(SendOnly.intersect(RecvOnly), Inactive);
        assert_eq!(RecvOnly.intersect(SendRecv), RecvOnly);
        assert_eq!(Inactive.intersect(SendRecv), Inactive);
    }

    #[test]
    fn reversing_twice_gives_the_same_direction() {
        for direction in [SendRecv, SendOnly, RecvOnly, Inactive] {
            assert_eq!(direction.reversed().reversed(), direction);
        }
        assert_eq!(SendOnly.reversed(), RecvOnly);
    }
}
