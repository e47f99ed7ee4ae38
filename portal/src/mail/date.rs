//! A time as templates want it: its parts, in UTC, to be put into the words of a language.

use serde::{Serialize, Serializer};
use time::OffsetDateTime;

#[derive(Serialize)]
struct Parts {
    day: u8,
    month: u8,
    year: i32,
    /// `09:00`
    time: String,
}

pub(super) fn serialize<S: Serializer>(
    at: &OffsetDateTime,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let at = at.to_offset(time::UtcOffset::UTC);
    Parts {
        day: at.day(),
        month: at.month().into(),
        year: at.year(),
        time: format!("{:02}:{:02}", at.hour(), at.minute()),
    }
    .serialize(serializer)
}
