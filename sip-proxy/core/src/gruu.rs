//! Addresses that reach one device from anywhere (GRUU, RFC 5627).
//!
//! The public one shows the address-of-record and the instance-id. The temporary one shows nothing: it is a sealed pair of the slot that
//! has the bindings and a digest of instance-id and Call-ID, so that it needs no table and dies with the registration it was made for, as
//! section 3.1.2.1 asks (another Call-ID makes it worthless). It does not outlive a restart; the next refresh gives a new one.
//!
//! Not here: when a REGISTER gets them (`registrar.rs`), who is rung by one (`routing.rs`).

use std::hash::{DefaultHasher, Hash, Hasher};

use sip::{Aor, Ids, Seal, Uri};

use crate::binding::Bindings;
use crate::bound::Shown;

/// How the user of a temporary one begins.
const TEMPORARY: &str = "tgruu.";

/// Makes and reads them.
#[derive(Debug)]
pub(crate) struct Gruus {
    seal: Seal,
    ids: Ids,
}

impl Gruus {
    pub(crate) fn new(ids: &mut Ids) -> Self {
        Self {
            seal: Seal::new(ids.bytes()),
            ids: ids.fork(),
        }
    }

    /// Adds the Contact parameters for one binding; nothing if it has no instance-id that a URI can carry.
    pub(crate) fn write_params(
        &mut self,
        aor: &Aor,
        slot: u32,
        binding: Shown<'_>,
        out: &mut String,
    ) {
        let instance = binding.instance;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ":.-_".contains(c);
        if instance.is_empty() || !instance.chars().all(is_plain) {
            return;
        }
        let mut plain = [0; 8];
        plain[..4].copy_from_slice(&slot.to_le_bytes());
        plain[4..].copy_from_slice(&registration(instance, binding.call_id));
        let sealed = self.seal.close(&plain, self.ids.bytes());
        for piece in [
            ";pub-gruu=\"",
            aor.as_str(),
            ";gr=",
            instance,
            "\";temp-gruu=\"sip:",
            TEMPORARY,
            &sealed,
            "@",
            aor.host(),
            ";gr\"",
        ] {
            out.push_str(piece);
        }
    }

    /// Whom a temporary one reaches: address-of-record and instance-id.
    pub(crate) fn open(&self, uri: &Uri, bindings: &Bindings) -> Option<(Aor, String)> {
        let sealed = uri.user()?.strip_prefix(TEMPORARY)?;
        let plain = self.seal.open(sealed)?;
        let (slot, own) = plain.split_first_chunk::<4>()?;
        let aor = bindings.aor(u32::from_le_bytes(*slot))?;
        let same_host = uri
            .host()
            .is_some_and(|host| host.to_string().eq_ignore_ascii_case(aor.host()));
        let instance = bindings
            .of(&aor)
            .iter()
            .find(|binding| registration(binding.instance(), binding.call_id()) == *own)
            .map(|binding| binding.instance().to_owned())?;
        same_host.then_some((aor, instance))
    }
}

/// What tells one registration of a device from its next.
fn registration(instance: &str, call_id: &str) -> [u8; 4] {
    let mut hasher = DefaultHasher::new();
    (instance, call_id).hash(&mut hasher);
    let [a, b, c, d, ..] = hasher.finish().to_le_bytes();
    [a, b, c, d]
}
