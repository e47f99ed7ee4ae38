//! Row keys: UUID version 7, so that keys made later sort later.

use time::OffsetDateTime;
use uuid::{Timestamp, Uuid};

/// A new key for a row made at `now`. Times before 1970 count as 1970.
pub(crate) fn new(now: OffsetDateTime) -> Uuid {
    let seconds = u64::try_from(now.unix_timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix_time(seconds, now.nanosecond(), 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration;

    #[test]
    fn keys_of_later_times_sort_later() {
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let keys: Vec<_> = (0..50)
            .map(|ms| new(now + Duration::milliseconds(ms)))
            .collect();
        assert!(keys.is_sorted());
        assert_eq!(keys[0].get_version_num(), 7);
    }
}
