//! A server's certificate and key, read again when their files change.
//!
//! Whoever renews a certificate writes two files; a handshake between the two finds a pair that does
//! not fit and goes on with the old one. The files are looked at no more than once a second, by the
//! handshake that comes along.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use tracing::{info, warn};

use super::{TlsError, certificates};

/// How often the files are looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where a server's certificate and key are, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The server's certificate first, then those between it and its authority.
    pub chain: PathBuf,
    /// The private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
}

impl CertificateFiles {
    /// When each file was last written; `None` for one that cannot be seen.
    fn written(&self) -> Written {
        let written = |path| fs::metadata(path).and_then(|found| found.modified()).ok();
        (written(&self.chain), written(&self.key))
    }

    fn load(&self, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let chain = certificates(&self.chain)?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|source| TlsError::File {
            what: "private key",
            path: self.key.clone(),
            source,
        })?;
        CertifiedKey::from_der(chain, key, provider).map_err(|source| TlsError::Key {
            path: self.key.clone(),
            source,
        })
    }
}

type Written = (Option<SystemTime>, Option<SystemTime>);

/// The pair that is in use.
#[derive(Debug)]
pub(super) struct WatchedFiles {
    files: CertificateFiles,
    provider: Arc<CryptoProvider>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    current: Arc<CertifiedKey>,
    written: Written,
    /// What was there when files could not be used, so that it is said once.
    refused: Option<Written>,
    looked: Instant,
}

impl WatchedFiles {
    pub(super) fn open(
        files: CertificateFiles,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let written = files.written();
        let current = Arc::new(files.load(&provider)?);
        let state = State {
            current,
            written,
            refused: None,
            looked: Instant::now(),
        };
        Ok(Self {
            files,
            provider,
            state: Mutex::new(state),
        })
    }

    fn current(&self, now: Instant) -> Arc<CertifiedKey> {
        // Nothing in here leaves the state half-changed.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(state.looked) >= LOOK_EVERY {
            self.look(&mut state, now);
        }
        Arc::clone(&state.current)
    }

    /// Looks at the files now.
    pub(super) fn look_now(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.look(&mut state, Instant::now());
    }

    fn look(&self, state: &mut State, now: Instant) {
        state.looked = now;
        let written = self.files.written();
        if written == state.written {
            return;
        }
        match self.files.load(&self.provider) {
            Ok(loaded) => {
                info!(path = %self.files.chain.display(), "certificate read again");
                state.current = Arc::new(loaded);
                state.written = written;
                state.refused = None;
            }
            Err(error) => {
                if state.refused.replace(written) != Some(written) {
                    warn!(%error, "the old certificate stays in use");
                }
            }
        }
    }
}

impl ResolvesServerCert for WatchedFiles {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use testkit::certificates::{Authority, Subject};

    use super::*;

    fn subject(name: &str) -> Subject {
        Subject {
            dns: vec![name.to_owned()],
            ..Subject::default()
        }
    }

    #[test]
    fn a_renewed_pair_is_shown_and_half_of_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("test authority").unwrap();
        let old = authority.issue(&subject("old.test")).unwrap();
        let (chain, key) = old.write(folder.path(), "server").unwrap();
        let files = CertificateFiles {
            chain: chain.clone(),
            key: key.clone(),
        };
        let watched = WatchedFiles::open(
            files,
            Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
        )
        .unwrap();
        let start = Instant::now();
        let first = watched.current(start);

        let new = authority.issue(&subject("new.test")).unwrap();
        let replace = |path, text: &str, seconds| {
            fs::write(path, text).unwrap();
            let later = SystemTime::now() + Duration::from_secs(seconds);
            fs::File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_modified(later)
                .unwrap();
        };
        replace(&chain, &new.chain_pem, 10);
        let halfway = watched.current(start + LOOK_EVERY);
        assert_eq!(halfway.cert, first.cert, "the new chain has no key yet");
        replace(&key, &new.key_pem, 20);
        let early = watched.current(start + LOOK_EVERY);
        assert_eq!(early.cert, first.cert, "looked at this second already");
        let renewed = watched.current(start + 2 * LOOK_EVERY);
        assert_ne!(renewed.cert, first.cert);
    }

    #[test]
    fn files_without_a_pair_are_refused_with_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("test authority").unwrap();
        let one = authority.issue(&subject("one.test")).unwrap();
        let other = authority.issue(&subject("other.test")).unwrap();
        let (chain, key) = one.write(folder.path(), "one").unwrap();
        let (_, other_key) = other.write(folder.path(), "other").unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let open = |chain: &PathBuf, key: &PathBuf| {
            let files = CertificateFiles {
                chain: chain.clone(),
                key: key.clone(),
            };
            WatchedFiles::open(files, Arc::clone(&provider))
                .unwrap_err()
                .to_string()
        };
        assert!(open(&chain, &other_key).contains("does not go with the certificate"));
        assert!(open(&key, &key).contains("no certificate in"));
        assert!(open(&chain, &chain).contains("no private key in"));
        let missing = folder.path().join("missing.crt");
        assert!(open(&missing, &key).contains("missing.crt"));
    }
}
