//! Settings of desk phones as the files that their makes read: pure functions from what the device is told to text.
//!
//! A phone is given one address, asks there for a file whose name it makes up (of its MAC address, of its model), and takes what it
//! gets. All names that a make documents for the settings of one phone get the same file; other names, such as those of firmware or of
//! settings for all phones of a model, get nothing. In each file stand the address again and a daily look at it, so that changes arrive.
//!
//! Whatever people have typed (names, user names, passwords) is escaped or left out, so that it cannot become a setting of its own.
//! Lines that a device no longer has are turned off. Dialing rules are the softphone's: no make has them.
//!
//! Not here: who may have a file ([`crate::handlers`]) and what is in it of the database ([`crate::wire::configuration`]).

mod baresip;
mod grandstream;
mod settings;
mod snom;
#[cfg(test)]
mod tests;
mod text;
mod yealink;

use store::DeskPhoneMake;

use settings::Line;
pub(crate) use settings::Settings;

/// A file as a phone gets it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) media_type: &'static str,
    /// With the passwords of the lines.
    pub(crate) text: String,
}

/// The settings in the make's format.
pub(crate) fn file(make: DeskPhoneMake, settings: &Settings) -> File {
    let (media_type, text) = match make {
        DeskPhoneMake::Yealink => (TEXT, yealink::write(settings)),
        DeskPhoneMake::Snom => (XML, snom::write(settings)),
        DeskPhoneMake::Grandstream => (XML, grandstream::write(settings)),
        DeskPhoneMake::Baresip => (TEXT, baresip::write(settings)),
    };
    File { media_type, text }
}

/// Whether a phone of the make asks for its settings by this name.
pub(crate) fn is_name(make: DeskPhoneMake, name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    match make {
        DeskPhoneMake::Yealink => yealink::is_name(&name),
        DeskPhoneMake::Snom => snom::is_name(&name),
        DeskPhoneMake::Grandstream => grandstream::is_name(&name),
        DeskPhoneMake::Baresip => name == "accounts",
    }
}

const TEXT: &str = "text/plain; charset=utf-8";
const XML: &str = "application/xml; charset=utf-8";
/// How many lines a file speaks of: as many as a device can have.
const LINES: usize = store::device::MAX_ACCOUNTS;
/// How often a phone looks whether something has changed.
const DAY_SECS: u32 = 24 * 60 * 60;
