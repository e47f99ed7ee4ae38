//! Times as they lie in a row: microseconds since the Unix epoch.

use sea_orm::DeriveValueType;
use time::OffsetDateTime;

/// Microseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, DeriveValueType)]
pub struct UnixMicros(i64);

impl UnixMicros {
    /// The number itself.
    pub(crate) fn get(self) -> i64 {
        self.0
    }
}

impl From<OffsetDateTime> for UnixMicros {
    fn from(time: OffsetDateTime) -> Self {
        let micros = time.unix_timestamp_nanos() / 1_000;
        Self(i64::try_from(micros).expect("a year of four digits fits"))
    }
}

impl From<UnixMicros> for OffsetDateTime {
    /// A row that says a time outside the years ±9999 is read as the epoch.
    fn from(UnixMicros(micros): UnixMicros) -> Self {
        Self::from_unix_timestamp_nanos(i128::from(micros) * 1_000).unwrap_or(Self::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration;

    #[test]
    fn a_time_survives_to_the_microsecond() {
        let time = OffsetDateTime::from_unix_timestamp(1_795_225_555).unwrap()
            + Duration::nanoseconds(123_456_789);
        let read = OffsetDateTime::from(UnixMicros::from(time));
        assert_eq!(time - read, Duration::nanoseconds(789));
    }
}
