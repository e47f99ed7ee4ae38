//! Closed sets of words that rows hold as text.

use std::fmt;
use std::str::FromStr;

/// The text is none of the words of the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of the known words")]
pub struct UnknownWord;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// The word as rows and interfaces spell it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text { $($word => Ok(Self::$variant),)+ _ => Err(UnknownWord) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What a user may do in a tenant. Ordered: a later role may do all that an earlier one may.
    Role {
        /// Sees everything but secrets, changes nothing.
        ReadOnly = "read_only",
        /// Changes everything but the members.
        Administrator = "administrator",
        /// Also decides who is a member.
        Owner = "owner",
    }
}

words! {
    /// How a line reaches its registrar.
    SipTransport {
        /// UDP.
        Udp = "udp",
        /// TCP.
        Tcp = "tcp",
        /// TLS over TCP.
        Tls = "tls",
    }
}

words! {
    /// An audio codec that an account may offer.
    Codec {
        /// Opus, RFC 6716.
        Opus = "opus",
        /// G.722.
        G722 = "g722",
        /// G.711 A-law.
        Pcma = "pcma",
        /// G.711 µ-law.
        Pcmu = "pcmu",
    }
}

words! {
    /// What an e-mail address is for.
    EmailLabel {
        /// Work.
        Work = "work",
        /// Home.
        Home = "home",
    }
}
