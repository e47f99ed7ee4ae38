//! `H(method ":" uri)` of what is asked again and again: all who register in a domain ask the same of it.
//!
//! Invariant: a few are kept, and none that is long, whatever is asked.

use super::algorithm::{Algorithm, Exchange, HexHash, Protection};

/// How many are kept; the one that was made first gives way.
const MAX_ENTRIES: usize = 4;

/// Longer URIs are no domain's.
const MAX_URI_BYTES: usize = 128;

/// The hashes that were made lately.
#[derive(Default)]
pub(super) struct RequestHashes {
    entries: Vec<Entry>,
    /// The one that gives way next.
    first: usize,
}

struct Entry {
    algorithm: Algorithm,
    uri: Box<str>,
    hash: HexHash,
}

impl RequestHashes {
    /// The hash of a request, made or remembered.
    pub(super) fn of(&mut self, exchange: &Exchange<'_>) -> HexHash {
        // Other methods ask for as many URIs as there are people.
        if exchange.method != "REGISTER"
            || exchange.protection != Protection::Auth
            || exchange.uri.len() > MAX_URI_BYTES
        {
            return exchange.request_hash();
        }
        let is_it =
            |entry: &&Entry| entry.algorithm == exchange.algorithm && *entry.uri == *exchange.uri;
        if let Some(entry) = self.entries.iter().find(is_it) {
            return entry.hash;
        }
        let hash = exchange.request_hash();
        let entry = Entry {
            algorithm: exchange.algorithm,
            uri: exchange.uri.into(),
            hash,
        };
        if self.entries.len() < MAX_ENTRIES {
            self.entries.push(entry);
        } else {
            self.entries[self.first] = entry;
            self.first = (self.first + 1) % MAX_ENTRIES;
        }
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_would_be_made() {
        let mut hashes = RequestHashes::default();
        for round in 0..3 {
            for domain in 0..2 * MAX_ENTRIES {
                for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
                    for method in ["REGISTER", "INVITE"] {
                        let uri = format!("sip:{}.example", domain / (round + 1));
                        let exchange = Exchange {
                            algorithm,
                            protection: Protection::Auth,
                            method,
                            uri: &uri,
                            nonce: "",
                            nonce_count: "",
                            cnonce: "",
                        };
                        let made = exchange.request_hash();
                        assert_eq!(hashes.of(&exchange).as_str(), made.as_str());
                        assert!(hashes.entries.len() <= MAX_ENTRIES);
                    }
                }
            }
        }
    }
}
