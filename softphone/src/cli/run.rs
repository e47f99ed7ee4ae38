//! What `run` may be told: how this phone sounds, hears and is reached while it runs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use media::tone::Country;
use media_io::PortRange;

/// `run`
#[derive(Debug, Args)]
pub struct Run {
    /// Without a window. There is none yet, so this says what happens anyway.
    #[arg(long)]
    pub headless: bool,
    /// Answer every incoming call at once.
    #[arg(long)]
    pub auto_answer: bool,
    /// Play this WAV file into calls instead of the microphone.
    #[arg(long, value_name = "FILE.wav")]
    pub play: Option<PathBuf>,
    /// Write what the other side says into this WAV file instead of playing it; further calls get
    /// a number before the ending.
    #[arg(long, value_name = "FILE.wav")]
    pub record: Option<PathBuf>,
    /// Keep every call in a stereo file of its own in this folder: own side left, far side right.
    #[arg(long, value_name = "DIR")]
    pub record_calls: Option<PathBuf>,
    /// What calls on hold hear, over and over: WAV or Ogg Opus. Silence without it.
    #[arg(long, value_name = "FILE")]
    pub hold_music: Option<PathBuf>,
    /// Loudspeaker; `softphone devices` lists them.
    #[arg(long, value_name = "ID")]
    pub play_device: Option<String>,
    /// Microphone; `softphone devices` lists them.
    #[arg(long, value_name = "ID")]
    pub input: Option<String>,
    /// Loudspeaker on which it rings; the system's usual one if absent.
    #[arg(long, value_name = "ID")]
    pub ringer: Option<String>,
    /// Ring with this sound, WAV or Ogg Opus, instead of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub ring_tone: Option<PathBuf>,
    /// Country whose ringing, busy and call-waiting tones are heard, such as `FR`; `none` for no tones.
    #[arg(long, value_name = "COUNTRY", default_value = "DE", value_parser = tones)]
    pub tones: ToneChoice,
    /// Codecs in place of those that the portal configured, preferred first.
    #[arg(long, value_name = "CODEC,…", value_enum, value_delimiter = ',')]
    pub codecs: Vec<CodecChoice>,
    /// Whether the sound of calls is encrypted.
    #[arg(long, value_name = "POLICY", value_enum, default_value_t)]
    pub secure_sound: SecureSound,
    /// How encryption is offered; both ways are accepted.
    #[arg(long, value_name = "WAY", value_enum, default_value_t)]
    pub secure_by: SecureBy,
    /// Certificate authorities (PEM) to believe instead of the system's, for SIP over TLS.
    #[arg(long, value_name = "FILE.pem", env = "SOFTPHONE_SIP_AUTHORITIES")]
    pub sip_authorities: Option<PathBuf>,
    /// Whether calls look for a path through address translation; on if a server for it is named.
    #[arg(long, value_name = "on|off", value_enum)]
    pub ice: Option<IceChoice>,
    /// Ports on which calls receive sound, two for each call, such as 40000-40019; 16384-32767 if absent.
    #[arg(long, value_name = "FIRST-LAST")]
    pub rtp_ports: Option<PortRange>,
    /// Server that tells by which address this phone is seen.
    #[arg(long, value_name = "HOST[:PORT]")]
    pub stun: Option<String>,
    /// Server that lends an address where nothing else works; needs --turn-password-file.
    #[arg(long, value_name = "USER@HOST[:PORT]")]
    pub turn: Option<String>,
    /// File whose only line is the password for --turn.
    #[arg(long, value_name = "FILE", env = "SOFTPHONE_TURN_PASSWORD_FILE")]
    pub turn_password_file: Option<PathBuf>,
    /// No sound card: silence is sent and what comes is dropped, unless files are given.
    #[arg(long)]
    pub no_sound_card: bool,
    /// What is done to the microphone's sound in the beginning.
    #[command(flatten)]
    pub processing: Processing,
}

/// `processing`, and what `run` begins with: what is done to the microphone's sound. All of it is on unless it is
/// switched off; files in place of the microphone are sent as they are.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Processing {
    /// The other side does not hear itself from the loudspeaker.
    #[arg(long, value_name = "SWITCH", value_enum)]
    pub echo_cancellation: Option<Switch>,
    /// Noise becomes quieter than speech.
    #[arg(long, value_name = "SWITCH", value_enum)]
    pub noise_suppression: Option<Switch>,
    /// Soft speech becomes louder.
    #[arg(long, value_name = "SWITCH", value_enum)]
    pub gain_control: Option<Switch>,
}

/// The position of a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// It is done.
    On,
    /// It is not.
    Off,
}

impl From<Switch> for bool {
    fn from(switch: Switch) -> Self {
        switch == Switch::On
    }
}

/// Whether calls look for a path through address translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IceChoice {
    /// Where the other side does it too.
    On,
    /// Sound goes to the announced address.
    Off,
}

/// Whose tones are heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToneChoice {
    /// Nobody's.
    None,
    /// Those of a country.
    Of(Country),
}

impl ToneChoice {
    /// The country, if tones are wanted.
    pub fn country(self) -> Option<Country> {
        match self {
            Self::None => None,
            Self::Of(country) => Some(country),
        }
    }
}

fn tones(text: &str) -> Result<ToneChoice, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(ToneChoice::None);
    }
    let country = Country::from_code(text).map(ToneChoice::Of);
    country.ok_or_else(|| {
        "no country of two letters whose tones are known; DE has those of most others".to_owned()
    })
}

/// Whether the sound of calls is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SecureSound {
    /// Neither offered nor accepted.
    Off,
    /// Wherever the other side can.
    #[default]
    Optional,
    /// No call without it.
    Required,
}

/// How the keys of encrypted sound are agreed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SecureBy {
    /// In the signalling, which should be TLS then (SDES).
    #[default]
    Sdes,
    /// Between the two phones (DTLS-SRTP).
    Dtls,
}

impl From<SecureSound> for sdp::SecurityPolicy {
    fn from(choice: SecureSound) -> Self {
        match choice {
            SecureSound::Off => Self::Off,
            SecureSound::Optional => Self::Optional,
            SecureSound::Required => Self::Required,
        }
    }
}

impl From<SecureBy> for sdp::KeyExchange {
    fn from(choice: SecureBy) -> Self {
        match choice {
            SecureBy::Sdes => Self::Sdes,
            SecureBy::Dtls => Self::Dtls,
        }
    }
}

/// A codec by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CodecChoice {
    /// Opus.
    Opus,
    /// G.722.
    G722,
    /// G.711 A-law.
    Pcma,
    /// G.711 µ-law.
    Pcmu,
}

impl From<CodecChoice> for api::Codec {
    fn from(choice: CodecChoice) -> Self {
        match choice {
            CodecChoice::Opus => Self::Opus,
            CodecChoice::G722 => Self::G722,
            CodecChoice::Pcma => Self::Pcma,
            CodecChoice::Pcmu => Self::Pcmu,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_ports_for_sound_are_those_that_firewalls_are_told_of() {
        let (first, last) = api::PHONE_MEDIA_PORTS;
        assert_eq!(PortRange::default().to_string(), format!("{first}-{last}"));
    }

    #[test]
    fn tones_are_those_of_a_known_country_or_none() {
        assert_eq!(tones("fr"), Ok(ToneChoice::Of(Country::Fr)));
        assert_eq!(tones("None").unwrap().country(), None);
        assert!(tones("XX").is_err());
    }
}
