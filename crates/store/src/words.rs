//! Closed sets of words that rows hold as text.

use std::str::FromStr;

/// The text is none of the words of the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of the known words")]
pub struct UnknownWord;

/// A word of a closed set.
pub trait Word: Copy + FromStr<Err = UnknownWord> + 'static {
    /// All words of the set.
    const ALL: &'static [Self];

    /// The word as rows and interfaces spell it.
    fn word(self) -> &'static str;
}

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

        impl $crate::words::Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            fn word(self) -> &'static str {
                self.as_str()
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::words::UnknownWord;

            fn from_str(text: &str) -> Result<Self, $crate::words::UnknownWord> {
                match text { $($word => Ok(Self::$variant),)+ _ => Err($crate::words::UnknownWord) }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;

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
    /// Whether an account is used.
    AccountStatus {
        /// A device has it, and it is registered.
        Online = "online",
        /// A device has it, and it is not registered.
        Offline = "offline",
        /// No device has it.
        NotInUse = "not_in_use",
    }
}

words! {
    /// Whether a device is there.
    DeviceStatus {
        /// Nobody has activated it.
        NotActivated = "not_activated",
        /// Activated and connected.
        Online = "online",
        /// Activated and not connected.
        Offline = "offline",
    }
}

words! {
    /// What a device waits for.
    DeviceSubStatus {
        /// The mail with its activation was sent, and nobody has used it yet.
        InstructionsSent = "instructions_sent",
        /// It was activated and has not been there since.
        NotStarted = "not_started",
        /// It has not yet said that it applied its configuration.
        PendingUpdate = "pending_update",
    }
}

words! {
    /// Who has made a desk phone, and so how its settings are written.
    DeskPhoneMake {
        /// Yealink.
        Yealink = "yealink",
        /// Snom.
        Snom = "snom",
        /// Grandstream.
        Grandstream = "grandstream",
        /// baresip, a phone for computers that reads its accounts from a file.
        Baresip = "baresip",
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

words! {
    /// A language that mails are written in.
    Language {
        /// English.
        English = "en",
        /// German.
        German = "de",
    }
}

words! {
    /// How a mail server is spoken with.
    MailSecurity {
        /// TLS from the first byte (RFC 8314 section 3.3).
        Tls = "tls",
        /// TLS by STARTTLS (RFC 3207); without it nothing is sent.
        StartTls = "starttls",
        /// In clear: only to the machine itself.
        None = "none",
    }
}

words! {
    /// What a link in a mail does.
    LinkPurpose {
        /// Leads to a new password.
        PasswordReset = "password_reset",
        /// Makes a new e-mail address the person's.
        EmailChange = "email_change",
    }
}

words! {
    /// What becomes of somebody whom a tenant's provider vouches for and who is no member yet.
    NewPeople {
        /// They are turned away.
        Nobody = "nobody",
        /// They become members who change nothing.
        ReadOnly = "read_only",
    }
}

words! {
    /// What a mail is about.
    MailKind {
        /// How to activate a phone.
        Activation = "activation",
        /// Somebody was made a member of a tenant.
        Invitation = "invitation",
        /// A way to a new password.
        PasswordReset = "password_reset",
        /// Confirms a new address of a person.
        ConfirmAddress = "confirm_address",
        /// Confirms that the address is of who signed up.
        SignUp = "sign_up",
        /// The address of a user is another one now.
        AddressChanged = "address_changed",
        /// Shows that mails arrive.
        Test = "test",
        /// Something happened that its owner should know of.
        SecurityNotice = "security_notice",
        /// A webhook is off, because its receiver took nothing.
        WebhookOff = "webhook_off",
    }
}

words! {
    /// How far a mail is.
    MailState {
        /// It waits, for its first or for another attempt.
        Queued = "queued",
        /// A server took it.
        Sent = "sent",
        /// There was no server: it lies in the mailbox of the installation.
        Kept = "kept",
        /// It is not tried again.
        Failed = "failed",
        /// What it was about was used, replaced or removed before it left.
        Superseded = "superseded",
    }
}

words! {
    /// Why a mail was not sent, at the last attempt.
    MailReason {
        /// The server's name leads nowhere.
        UnknownHost = "unknown_host",
        /// The server's address is one that this installation does not send to.
        ForbiddenHost = "forbidden_host",
        /// Nobody answers at the server's address.
        Unreachable = "unreachable",
        /// The server took too long.
        Timeout = "timeout",
        /// The server does not speak TLS as it should, or its certificate is not good.
        Tls = "tls",
        /// The server does not take the user name and password.
        SignIn = "sign_in",
        /// The server does not let us send as this sender.
        Sender = "sender",
        /// The server does not know or want the recipient.
        Recipient = "recipient",
        /// The server does not take the mail for another reason.
        Refused = "refused",
        /// The server does not take the mail at present.
        Deferred = "deferred",
        /// What the server said is not SMTP.
        Protocol = "protocol",
        /// The mail could not be made or kept on our side.
        Internal = "internal",
    }
}

words! {
    /// Who has told of a call.
    CallSource {
        /// Our proxy, through which it went.
        Proxy = "proxy",
        /// The phone, of a call at another provider.
        Phone = "phone",
    }
}

words! {
    /// Where a call came from and went to, as the tenant sees it.
    CallDirection {
        /// Between two of the tenant.
        Internal = "internal",
        /// From outside to one of the tenant.
        Incoming = "incoming",
        /// From one of the tenant to outside.
        Outgoing = "outgoing",
    }
}

words! {
    /// What became of a call.
    CallOutcome {
        /// It goes on.
        Ongoing = "ongoing",
        /// The two have talked.
        Answered = "answered",
        /// It could have been answered and was not.
        Missed = "missed",
        /// The callee was busy.
        Busy = "busy",
        /// The callee did not want it.
        Declined = "declined",
        /// The caller gave up before.
        Cancelled = "cancelled",
        /// It could not be.
        Failed = "failed",
        /// No device of the callee was registered.
        Unregistered = "unregistered",
        /// A rule or a limit forbids it.
        Refused = "refused",
        /// It went on with somebody else before it was answered.
        Forwarded = "forwarded",
        /// The server ended while it went on, so nobody knows how it ended.
        Interrupted = "interrupted",
    }
}

words! {
    /// Why a call ended.
    CallReason {
        /// The caller hung up.
        CallerHungUp = "caller_hung_up",
        /// The callee hung up.
        CalleeHungUp = "callee_hung_up",
        /// One of the sides was transferred to somebody else.
        Transferred = "transferred",
        /// Another device has taken the place of one side.
        PickedUp = "picked_up",
        /// A side was gone without a word, or the session broke.
        Lost = "lost",
        /// It rang and nobody answered.
        NoAnswer = "no_answer",
        /// The devices said that nobody is available.
        Unavailable = "unavailable",
        /// Busy.
        Busy = "busy",
        /// Declined.
        Declined = "declined",
        /// The caller gave up.
        CallerGaveUp = "caller_gave_up",
        /// Somebody else answered.
        AnsweredElsewhere = "answered_elsewhere",
        /// The callee is reached under another address.
        Forwarded = "forwarded",
        /// No device of the callee was registered.
        NotRegistered = "not_registered",
        /// The devices that were registered did not answer at all.
        Unreachable = "unreachable",
        /// Nobody has that number.
        UnknownNumber = "unknown_number",
        /// The number may not be called.
        NotPermitted = "not_permitted",
        /// The caller has as many calls as it may have.
        TooManyCalls = "too_many_calls",
        /// The two have no common codec.
        NoCommonMedia = "no_common_media",
        /// The server was too busy.
        Overloaded = "overloaded",
        /// Something else, which the status tells.
        Failed = "failed",
    }
}

words! {
    /// How two sides that have not called each other came together.
    CallLink {
        /// A third has transferred the one to the other.
        Transferred = "transferred",
        /// The callee is reached under another address.
        Forwarded = "forwarded",
        /// A device has taken the place of another.
        PickedUp = "picked_up",
    }
}
