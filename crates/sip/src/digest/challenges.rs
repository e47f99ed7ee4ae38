//! Our own challenges as text (RFC 7616, section 3.3), written when they are asked for.

use crate::header::scan;

use super::algorithm::Algorithm;
use super::nonce::NonceText;

/// The values of as many challenges as there are algorithms to offer, all with one nonce.
#[derive(Clone)]
pub struct Challenges<'a> {
    realm: &'a str,
    nonce: NonceText,
    stale: bool,
    algorithms: std::slice::Iter<'a, Algorithm>,
}

impl<'a> Challenges<'a> {
    pub(super) fn new(
        realm: &'a str,
        nonce: NonceText,
        stale: bool,
        algorithms: &'a [Algorithm],
    ) -> Self {
        Self {
            realm,
            nonce,
            stale,
            algorithms: algorithms.iter(),
        }
    }

    /// The last one in as few bytes as it can be: MD5 is where no algorithm is named (RFC 7616, section 3.3).
    pub fn least(&self) -> Option<String> {
        let last = self.algorithms.as_slice().last()?;
        let named = Some(*last).filter(|last| *last != Algorithm::Md5);
        Some(self.value(named.map(Algorithm::name)))
    }

    fn value(&self, algorithm: Option<&str>) -> String {
        const FIXED: &str = "Digest realm=\"\", nonce=\"\", algorithm=, qop=\"auth\", stale=true";
        let (realm, nonce): (_, &str) = (self.realm, &self.nonce);
        let len = FIXED.len() + realm.len() + nonce.len() + algorithm.map_or(0, str::len);
        let mut value = String::with_capacity(len);
        value.push_str("Digest realm=");
        scan::push_quoted(realm, &mut value);
        value.push_str(", nonce=\"");
        value.push_str(nonce);
        value.push('"');
        if let Some(algorithm) = algorithm {
            value.push_str(", algorithm=");
            value.push_str(algorithm);
        }
        value.push_str(", qop=\"auth\"");
        if self.stale {
            value.push_str(", stale=true");
        }
        value
    }
}

impl Iterator for Challenges<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let algorithm = self.algorithms.next()?;
        Some(self.value(Some(algorithm.name())))
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::digest::DigestServer;
    use crate::ids::Ids;

    #[test]
    fn the_least_challenge_names_no_algorithm_if_that_means_it() {
        let least = |algorithms: &[Algorithm]| {
            let ids = Ids::from_seed([1; 32]);
            let mut server = DigestServer::new([7; 32], ids).with_algorithms(algorithms);
            let challenges = server.challenges("a \"b\"", true, IpAddr::from([192, 0, 2, 1]), 0);
            let least = challenges.least().unwrap();
            (least, challenges.last().unwrap())
        };
        let (least_md5, last) = least(&[Algorithm::Sha256, Algorithm::Md5]);
        assert!(least_md5.starts_with("Digest realm=\"a \\\"b\\\"\", nonce=\""));
        assert!(least_md5.ends_with("\", qop=\"auth\", stale=true"));
        assert_eq!(last.replace(", algorithm=MD5", ""), least_md5);
        let (least_sha, last) = least(&[Algorithm::Md5, Algorithm::Sha256]);
        assert_eq!(least_sha, last);
    }
}
