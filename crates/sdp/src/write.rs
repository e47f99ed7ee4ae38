//! Descriptions to text, lines in the order of RFC 8866 section 5, ended by CRLF.

use std::fmt::{self, Display, Formatter};

use crate::{Attributes, Bandwidth, Connection, MediaDescription, Origin, SessionDescription};

impl SessionDescription {
    /// The body to send.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

impl Display for SessionDescription {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "v=0\r\no={}\r\ns={}\r\n", self.origin, self.session_name)?;
        line(f, 'i', self.information.as_ref())?;
        line(f, 'u', self.uri.as_ref())?;
        line(f, 'e', &self.emails)?;
        line(f, 'p', &self.phones)?;
        line(f, 'c', self.connection.as_ref())?;
        line(f, 'b', &self.bandwidth)?;
        for time in &self.times {
            line(f, 't', [&time.active])?;
            line(f, 'r', &time.repeats)?;
        }
        line(f, 'z', self.zones.as_ref())?;
        line(f, 'k', self.key.as_ref())?;
        write!(f, "{}", self.attributes)?;
        self.media.iter().try_for_each(|media| write!(f, "{media}"))
    }
}

impl Display for MediaDescription {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "m={} {}", self.media, self.port)?;
        if let Some(count) = self.port_count {
            write!(f, "/{count}")?;
        }
        write!(f, " {}", self.protocol)?;
        self.formats
            .iter()
            .try_for_each(|format| write!(f, " {format}"))?;
        f.write_str("\r\n")?;
        line(f, 'i', self.information.as_ref())?;
        line(f, 'c', &self.connections)?;
        line(f, 'b', &self.bandwidth)?;
        line(f, 'k', self.key.as_ref())?;
        write!(f, "{}", self.attributes)
    }
}

impl Display for Attributes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.iter()
            .try_for_each(|attribute| match &attribute.value {
                Some(value) => write!(f, "a={}:{value}\r\n", attribute.name),
                None => write!(f, "a={}\r\n", attribute.name),
            })
    }
}

impl Display for Origin {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            username,
            session_id,
            version,
            connection,
        } = self;
        write!(f, "{username} {session_id} {version} {connection}")
    }
}

impl Display for Connection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.network, self.family, self.address)
    }
}

impl Display for Bandwidth {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}

/// One line of this kind per value.
fn line<T: Display>(
    f: &mut Formatter<'_>,
    kind: char,
    values: impl IntoIterator<Item = T>,
) -> fmt::Result {
    values
        .into_iter()
        .try_for_each(|value| write!(f, "{kind}={value}\r\n"))
}
