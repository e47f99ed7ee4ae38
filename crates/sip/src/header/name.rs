//! Header names: their full spelling, their compact form, and a number for each that we know, so
//! that a header is found by comparing bytes and not texts.

use std::num::NonZeroU8;

/// A name that we know, by its place in [`NAMES`], counted from one: "none" is a zero then, and comparing costs nothing more for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameId(NonZeroU8);

/// All names that we know, in no particular order.
const NAMES: [&str; 77] = [
    "Via",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "Max-Forwards",
    "Content-Length",
    "Content-Type",
    "Route",
    "Record-Route",
    "Expires",
    "Allow",
    "Supported",
    "User-Agent",
    "Authorization",
    "Accept",
    "Accept-Contact",
    "Accept-Encoding",
    "Accept-Language",
    "Alert-Info",
    "Allow-Events",
    "Authentication-Info",
    "Call-Info",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Date",
    "Diversion",
    "Error-Info",
    "Event",
    "Feature-Caps",
    "Flow-Timer",
    "History-Info",
    "Identity",
    "Identity-Info",
    "In-Reply-To",
    "Join",
    "MIME-Version",
    "Max-Breadth",
    "Min-Expires",
    "Min-SE",
    "Organization",
    "P-Asserted-Identity",
    "P-Preferred-Identity",
    "Path",
    "Priority",
    "Privacy",
    "Proxy-Authenticate",
    "Proxy-Authentication-Info",
    "Proxy-Authorization",
    "Proxy-Require",
    "RAck",
    "RSeq",
    "Reason",
    "Refer-Sub",
    "Refer-To",
    "Referred-By",
    "Reject-Contact",
    "Remote-Party-ID",
    "Replaces",
    "Reply-To",
    "Request-Disposition",
    "Require",
    "Retry-After",
    "SIP-ETag",
    "SIP-If-Match",
    "Server",
    "Service-Route",
    "Session-Expires",
    "Subject",
    "Subscription-State",
    "Target-Dialog",
    "Timestamp",
    "Unsupported",
    "WWW-Authenticate",
    "Warning",
];

const SLOTS: usize = 256;

/// The names by [`slot`], each in one of its own; made by the compiler.
const TABLE: [Option<NameId>; SLOTS] = {
    let mut table = [None; SLOTS];
    let mut place: u8 = 0;
    while (place as usize) < NAMES.len() {
        let at = slot(NAMES[place as usize].as_bytes());
        assert!(table[at].is_none(), "other factors are needed in slot()");
        table[at] = Some(NameId::at(place));
        place += 1;
    }
    table
};

/// The bit in which capitals differ from small letters.
const CASE: u8 = 0x20;

/// Of length, first, last and middle letter, in any case. The factors are tried until no two names share a slot: then a name is
/// compared with one other at most.
const fn slot(name: &[u8]) -> usize {
    let len = name.len();
    let first = (name[0] | CASE) as usize;
    let middle = (name[len / 2] | CASE) as usize;
    let last = (name[len - 1] | CASE) as usize;
    (len * 49 + first * 63 + middle * 3 + last) % SLOTS
}

/// Some of the names that we know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameSet([u64; 2]);

impl NameSet {
    /// The set of these full names, which we must know.
    pub(crate) const fn of(names: &[&str]) -> Self {
        let mut set = Self::none();
        let mut at = 0;
        while at < names.len() {
            set.insert(NameId::known(names[at]));
            at += 1;
        }
        set
    }

    pub(crate) fn contains(self, id: NameId) -> bool {
        let (word, bit) = id.place_in_set();
        self.0[word] & bit != 0
    }

    pub(crate) const fn insert(&mut self, id: NameId) {
        let (word, bit) = id.place_in_set();
        self.0[word] |= bit;
    }

    pub(crate) const fn none() -> Self {
        Self([0; 2])
    }

    pub(crate) fn intersects(self, other: Self) -> bool {
        (self.0[0] & other.0[0]) | (self.0[1] & other.0[1]) != 0
    }
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// Names that our own code asks for.
impl NameId {
    pub(crate) const ACCEPT: Self = Self::known("Accept");
    pub(crate) const ALLOW: Self = Self::known("Allow");
    pub(crate) const ALLOW_EVENTS: Self = Self::known("Allow-Events");
    pub(crate) const AUTHORIZATION: Self = Self::known("Authorization");
    pub(crate) const CSEQ: Self = Self::known("CSeq");
    pub(crate) const CALL_ID: Self = Self::known("Call-ID");
    pub(crate) const CONTACT: Self = Self::known("Contact");
    pub(crate) const CONTENT_LENGTH: Self = Self::known("Content-Length");
    pub(crate) const CONTENT_TYPE: Self = Self::known("Content-Type");
    pub(crate) const EVENT: Self = Self::known("Event");
    pub(crate) const EXPIRES: Self = Self::known("Expires");
    pub(crate) const FEATURE_CAPS: Self = Self::known("Feature-Caps");
    pub(crate) const FLOW_TIMER: Self = Self::known("Flow-Timer");
    pub(crate) const FROM: Self = Self::known("From");
    pub(crate) const MAX_BREADTH: Self = Self::known("Max-Breadth");
    pub(crate) const MAX_FORWARDS: Self = Self::known("Max-Forwards");
    pub(crate) const MIN_EXPIRES: Self = Self::known("Min-Expires");
    pub(crate) const MIN_SE: Self = Self::known("Min-SE");
    pub(crate) const P_ASSERTED_IDENTITY: Self = Self::known("P-Asserted-Identity");
    pub(crate) const P_PREFERRED_IDENTITY: Self = Self::known("P-Preferred-Identity");
    pub(crate) const PATH: Self = Self::known("Path");
    pub(crate) const PRIVACY: Self = Self::known("Privacy");
    pub(crate) const PROXY_AUTHENTICATE: Self = Self::known("Proxy-Authenticate");
    pub(crate) const PROXY_AUTHORIZATION: Self = Self::known("Proxy-Authorization");
    pub(crate) const PROXY_REQUIRE: Self = Self::known("Proxy-Require");
    pub(crate) const RACK: Self = Self::known("RAck");
    pub(crate) const RSEQ: Self = Self::known("RSeq");
    pub(crate) const REASON: Self = Self::known("Reason");
    pub(crate) const RECORD_ROUTE: Self = Self::known("Record-Route");
    pub(crate) const REFER_SUB: Self = Self::known("Refer-Sub");
    pub(crate) const REFER_TO: Self = Self::known("Refer-To");
    pub(crate) const REFERRED_BY: Self = Self::known("Referred-By");
    pub(crate) const REPLACES: Self = Self::known("Replaces");
    pub(crate) const REQUIRE: Self = Self::known("Require");
    pub(crate) const RETRY_AFTER: Self = Self::known("Retry-After");
    pub(crate) const ROUTE: Self = Self::known("Route");
    pub(crate) const SERVER: Self = Self::known("Server");
    pub(crate) const SERVICE_ROUTE: Self = Self::known("Service-Route");
    pub(crate) const SESSION_EXPIRES: Self = Self::known("Session-Expires");
    pub(crate) const SUBSCRIPTION_STATE: Self = Self::known("Subscription-State");
    pub(crate) const SUPPORTED: Self = Self::known("Supported");
    pub(crate) const TARGET_DIALOG: Self = Self::known("Target-Dialog");
    pub(crate) const TO: Self = Self::known("To");
    pub(crate) const UNSUPPORTED: Self = Self::known("Unsupported");
    pub(crate) const USER_AGENT: Self = Self::known("User-Agent");
    pub(crate) const VIA: Self = Self::known("Via");
    pub(crate) const WWW_AUTHENTICATE: Self = Self::known("WWW-Authenticate");
}

impl NameId {
    /// The number of a full name, which we must know; for constants.
    pub(crate) const fn known(name: &str) -> Self {
        let mut place: u8 = 0;
        while !same(NAMES[place as usize].as_bytes(), name.as_bytes()) {
            place += 1;
        }
        Self::at(place)
    }

    const fn at(place: u8) -> Self {
        Self(NonZeroU8::MIN.saturating_add(place))
    }

    /// The word and the bit in it.
    const fn place_in_set(self) -> (usize, u64) {
        let number = self.0.get();
        (number as usize / 64, 1 << (number % 64))
    }

    /// The number of a name, full or compact, in any case.
    pub(crate) fn find(name: &[u8]) -> Option<Self> {
        let name = full(name);
        if name.is_empty() {
            return None;
        }
        let id = TABLE[slot(name)]?;
        let known = id.as_str().as_bytes();
        let is_same = known == name || known.eq_ignore_ascii_case(name);
        is_same.then_some(id)
    }

    /// The full name.
    pub(crate) fn as_str(self) -> &'static str {
        NAMES[usize::from(self.0.get()) - 1]
    }
}

/// The full name of a compact one; any other name as it is.
fn full(name: &[u8]) -> &[u8] {
    let [letter] = name else {
        return name;
    };
    let full = match letter.to_ascii_lowercase() {
        b'a' => "Accept-Contact",
        b'b' => "Referred-By",
        b'c' => "Content-Type",
        b'd' => "Request-Disposition",
        b'e' => "Content-Encoding",
        b'f' => "From",
        b'i' => "Call-ID",
        b'j' => "Reject-Contact",
        b'k' => "Supported",
        b'l' => "Content-Length",
        b'm' => "Contact",
        b'n' => "Identity-Info",
        b'o' => "Event",
        b'r' => "Refer-To",
        b's' => "Subject",
        b't' => "To",
        b'u' => "Allow-Events",
        b'v' => "Via",
        b'x' => "Session-Expires",
        b'y' => "Identity",
        _ => return name,
    };
    full.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case() {
        for (place, name) in NAMES.into_iter().enumerate() {
            for spelling in [name.to_owned(), name.to_lowercase(), name.to_uppercase()] {
                let id = NameId::find(spelling.as_bytes()).unwrap();
                assert_eq!((usize::from(id.0.get()), id.as_str()), (place + 1, name));
            }
            assert_eq!(NameId::find(format!("{name}x").as_bytes()), None);
        }
        assert_eq!(NameId::CONTENT_LENGTH.as_str(), "Content-Length");
        assert_eq!(NameId::find(b""), None);
        assert_eq!(NameId::find(b"X-Own"), None);
    }

    #[test]
    fn a_set_holds_what_was_put_into_it() {
        for name in NAMES {
            let set = NameSet::of(&[name]);
            let held = NAMES
                .into_iter()
                .filter(|other| set.contains(NameId::known(other)));
            assert!(held.eq([name]));
            for other in NAMES {
                assert_eq!(set.intersects(NameSet::of(&[other])), name == other);
            }
        }
    }

    #[test]
    fn compact_names_mean_full_ones() {
        let name = |compact| NameId::find(str::as_bytes(compact)).map(NameId::as_str);
        assert_eq!(name("v"), Some("Via"));
        assert_eq!(name("V"), Some("Via"));
        assert_eq!(name("x"), Some("Session-Expires"));
        assert_eq!(name("z"), None);
        for letter in b'a'..=b'z' {
            assert_eq!(
                NameId::find(&[letter]).is_some(),
                full(&[letter]) != [letter]
            );
        }
    }
}
