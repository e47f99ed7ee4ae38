//! What goes wrong around a phone without being its fault: ports used up, codecs with parameters that make no sense,
//! sound files that are none. A message says so where somebody can act, and calls that can go on do.

use std::fs;
use std::net::{SocketAddr, UdpSocket as StdUdpSocket};
use std::path::Path;

use serde_json::Value;
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::exchange::Exchange;
use crate::phones::{PATIENCE, Phone, loudest_sample, tone_wav, wav};

/// An even port that is free now, and the next; below those that phones and systems take by themselves.
fn free_pair() -> u16 {
    let first = u16::try_from(std::process::id() % 3_000).unwrap();
    let mut ports = (0..3_000).map(|n| 10_000 + (first + n) % 3_000 * 2);
    let is_free = |port: u16| StdUdpSocket::bind(("127.0.0.1", port)).is_ok();
    ports
        .find(|port| is_free(*port) && is_free(port + 1))
        .unwrap()
}

fn calls(state: &Value) -> Vec<String> {
    let calls = state["calls"].as_array().unwrap();
    calls
        .iter()
        .map(|call| call["phase"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn used_up_ports_are_said_leave_calls_alone_and_the_next_call_works_once_there_are_some() {
    let parent = tempfile::tempdir().unwrap();
    let exchange = Exchange::start().await;
    let first = free_pair();
    let range = format!("{first}-{}", first + 1);
    let alice = Phone::running("200", &exchange, parent.path(), &["--rtp-ports", &range]).await;
    let bob = Phone::running("201", &exchange, parent.path(), &["--auto-answer"]).await;
    let carol = Phone::running("202", &exchange, parent.path(), &["--auto-answer"]).await;
    alice.succeeds(&["call", "201"]).await;

    let said = format!(
        "There is no network port for the sound of this call: all RTP ports from {range} are in use; end a call, or \
         start the phone with a larger --rtp-ports."
    );
    let error = alice.fails(22, &["call", "202"]).await;
    assert_eq!(error["message"], said.as_str());
    let error = carol.fails(12, &["call", "200"]).await;
    assert_eq!(error["sip_status"], 480, "{error}");
    let state = alice.succeeds(&["status"]).await;
    // As with any second call, the first was put on hold for it.
    assert_eq!(calls(&state), ["held"], "{state}");
    let ended = state["ended"].as_array().unwrap();
    assert_eq!(ended.len(), 2);
    assert!(ended.iter().all(|call| call["reason"] == said.as_str()));

    alice.succeeds(&["resume"]).await;
    alice.succeeds(&["status", "--wait", "talking"]).await;
    alice.succeeds(&["hangup"]).await;
    bob.succeeds(&["status", "--wait", "idle"]).await;
    alice.succeeds(&["status", "--wait", "idle"]).await;
    let answered = alice.succeeds(&["call", "202"]).await;
    assert_eq!(answered["phase"], "connected");
    let wrong = alice.command(&["run", "--rtp-ports", "40001-40001"]).await;
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        said.contains("\"40001-40001\" is no range of ports, like 16384-32767"),
        "{said}"
    );
}

/// A caller that writes its descriptions by hand.
struct Caller {
    socket: UdpSocket,
    exchange: SocketAddr,
    number: u32,
}

impl Caller {
    async fn new(exchange: &Exchange) -> Self {
        Self {
            socket: UdpSocket::bind("127.0.0.1:0").await.unwrap(),
            exchange: ([127, 0, 0, 1], exchange.port).into(),
            number: 0,
        }
    }

    async fn send(&self, method: &str, to_tag: &str, body: &str) {
        let (number, me) = (self.number, self.socket.local_addr().unwrap());
        let sequence = if method == "BYE" { 2 } else { 1 };
        let text = format!(
            "{method} sip:201@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bK{number}{method}\r\nMax-Forwards: 70\r\n\
             From: <sip:hand@127.0.0.1>;tag=f{number}\r\nTo: <sip:201@127.0.0.1>{to_tag}\r\nCall-ID: c{number}@{me}\r\n\
             CSeq: {sequence} {method}\r\nContact: <sip:hand@{me}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.socket
            .send_to(text.as_bytes(), self.exchange)
            .await
            .unwrap();
    }

    /// The next final response.
    async fn response(&self) -> String {
        let mut buffer = vec![0; 65_535];
        loop {
            let received = self.socket.recv(&mut buffer);
            let len = timeout(PATIENCE, received).await.unwrap().unwrap();
            let text = String::from_utf8_lossy(&buffer[..len]).into_owned();
            // Also a BYE of the phone's that nobody asked for, which would be a lost call.
            assert!(text.starts_with("SIP/2.0 "), "{text}");
            if !text.starts_with("SIP/2.0 1") {
                return text;
            }
        }
    }

    /// Calls with these media lines and hangs up; the status line, and the warning if there is one.
    async fn call(&mut self, media: &str) -> String {
        self.number += 1;
        let body = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n{}",
            media.replace('\n', "\r\n")
        );
        self.send("INVITE", "", &body).await;
        let response = self.response().await;
        let line = |name: &str| response.lines().find_map(|line| line.strip_prefix(name));
        let to_tag = line("To: ").unwrap().split_once(';').unwrap().1.to_owned();
        self.send("ACK", &format!(";{to_tag}"), "").await;
        let status = response[8..11].to_owned();
        if status == "200" {
            self.send("BYE", &format!(";{to_tag}"), "").await;
            while !self.response().await.contains(" BYE") {}
        }
        let warning = line("Warning: ").map(|warning| format!(" {warning}"));
        status + &warning.unwrap_or_default()
    }
}

#[tokio::test]
async fn a_codec_with_parameters_that_make_no_sense_is_spoken_or_refused_with_a_reason() {
    let parent = tempfile::tempdir().unwrap();
    let exchange = Exchange::start().await;
    let with = ["--auto-answer", "--codecs", "opus,g722,pcma,pcmu"];
    let phone = Phone::running("201", &exchange, parent.path(), &with).await;
    let mut caller = Caller::new(&exchange).await;
    let opus = "m=audio 9000 RTP/AVP 96\na=rtpmap:96 opus/48000/2\n";
    let none = "488 305 phone \"no common payload format\"";
    for (media, expected) in [
        (format!("{opus}a=fmtp:96 ;;=;useinbandfec;maxaveragebitrate=1;maxplaybackrate=-1\n"), "200"),
        (format!("{opus}a=fmtp:96 maxaveragebitrate=99999999999999999999\na=ptime:0\na=maxptime:99999\n"), "200"),
        (format!("{opus}a=ptime:65535\na=maxptime:1\n"), "200"),
        ("m=audio 9000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/0\na=fmtp:101 x-y\n".to_owned(), "200"),
        ("m=audio 9000 RTP/AVP 96 96 0\na=rtpmap:96 opus/48000/2\na=rtpmap:96 telephone-event/8000\n".to_owned(), "200"),
        ("m=audio 9000 RTP/AVP 63 0\na=rtpmap:63 red/8000\na=fmtp:63 63/63/63/63\n".to_owned(), "200"),
        ("m=audio 9000 RTP/AVP 9\na=rtpmap:9 G722/16000\n".to_owned(), none),
        ("m=audio 9000 RTP/AVP 96\na=rtpmap:96 opus/0/2\n".to_owned(), none),
        ("m=audio 9000 RTP/AVP 101\na=rtpmap:101 telephone-event/8000\n".to_owned(), none),
        ("m=audio 0 RTP/AVP 0\n".to_owned(), "488 304 phone \"no audio that we could join\""),
    ] {
        assert_eq!(caller.call(&media).await, expected, "{media:?}");
        phone.succeeds(&["status", "--wait", "idle"]).await;
    }
}

/// A WAV file of 500 Hz, mono or with the tone on every channel, in 16, 24 or (as floating point) 32 bits.
fn other_wav(rate_hz: u32, channels: u16, bits: u16) -> Vec<u8> {
    let mut samples = Vec::new();
    for n in 0..rate_hz * 3 {
        let phase = f64::from(n) * 500.0 / f64::from(rate_hz) * std::f64::consts::TAU;
        let value = phase.sin() * 0.25;
        #[expect(clippy::cast_possible_truncation, reason = "a quarter of full scale")]
        for _ in 0..channels {
            match bits {
                16 => samples.extend(((value * 32_768.0) as i16).to_le_bytes()),
                24 => samples.extend(&((value * 8_388_608.0) as i32).to_le_bytes()[..3]),
                _ => samples.extend((value as f32).to_le_bytes()),
            }
        }
    }
    let format = if bits == 32 { 3 } else { 1 };
    wav((format, channels, bits), rate_hz, &samples)
}

/// The first page of an Ogg stream (RFC 3533 section 6) with one packet.
fn ogg_page(packet: &[u8]) -> Vec<u8> {
    let len = u8::try_from(packet.len()).unwrap();
    let mut page = b"OggS\0\x02\0\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\0\0\0\0\x01".to_vec();
    page.push(len);
    page.extend(packet);
    let mut sum = 0_u32;
    for byte in &page {
        sum ^= u32::from(*byte) << 24;
        for _ in 0..8 {
            sum = (sum << 1) ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 };
        }
    }
    page[22..26].copy_from_slice(&sum.to_le_bytes());
    page
}

#[tokio::test]
async fn sound_files_that_are_none_are_named_with_what_is_wrong_and_what_is_accepted() {
    let parent = tempfile::tempdir().unwrap();
    let file = |name: &str| parent.path().join(name).to_str().unwrap().to_owned();
    let write = |name: &str, content: &[u8]| fs::write(Path::new(&file(name)), content).unwrap();
    write(
        "text.wav",
        b"Dear phone, please play this text to whoever calls.\n",
    );
    write("vorbis.ogg", &ogg_page(b"\x01vorbis and what follows it"));
    let opus = ogg_page(b"OpusHead\x01\x01\0\0\x80\xbb\0\0\0\0\0");
    write("opus-cut.opus", &opus[..opus.len() - 6]);
    write("empty.wav", b"");
    write("silent.wav", &wav((1, 1, 16), 48_000, &[]));
    let exchange = Exchange::start().await;
    let (text, vorbis) = (file("text.wav"), file("vorbis.ogg"));
    let with = [
        "--auto-answer",
        "--hold-music",
        &vorbis,
        "--ring-tone",
        &text,
    ];
    let mut bob = Phone::activated("201", &exchange, parent.path()).await;
    let log = parent.path().join("bob.log");
    bob.start_saying(&with, &log).await;
    bob.succeeds(&["status", "--wait", "registered"]).await;
    let alice = Phone::running("200", &exchange, parent.path(), &[]).await;
    let idle = Phone::activated("202", &exchange, parent.path()).await;
    alice.succeeds(&["call", "201"]).await;

    let notices = fs::read_to_string(&log).unwrap();
    for (what, name, wrong) in [
        (
            "calls on hold hear silence, not music: ",
            &vorbis,
            "is Ogg, but not Ogg Opus",
        ),
        (
            "it rings with the built-in sound, not with yours: ",
            &text,
            "is neither WAV nor Ogg Opus",
        ),
    ] {
        let line =
            format!("{what}the sound file {name} {wrong}; what can be played are WAV and Ogg Opus");
        assert!(notices.contains(&line), "{line}\n{notices}");
    }
    bob.succeeds(&["hold"]).await;
    bob.succeeds(&["resume"]).await;

    for (name, wrong) in [
        ("text.wav", "is not a WAV file that can be read: "),
        ("vorbis.ogg", "is not a WAV file that can be read: "),
        ("opus-cut.opus", "is not a WAV file that can be read: "),
        ("empty.wav", "is not a WAV file that can be read: "),
        ("silent.wav", "is empty"),
        ("none.wav", "No such file"),
    ] {
        let error = alice
            .fails(22, &["call", "202", "--play", &file(name)])
            .await;
        let message = error["message"].as_str().unwrap();
        assert!(
            message.contains(&file(name)) && message.contains(wrong),
            "{message}"
        );
        let accepted =
            "what can be used are WAV files, PCM or floating point, of at most ten minutes";
        assert!(
            message.contains(accepted) || name == "none.wav",
            "{message}"
        );
        let error = idle.fails(22, &["run", "--play", &file(name)]).await;
        assert!(
            error["message"].as_str().unwrap().contains(wrong),
            "{error}"
        );
    }
    for phone in [&alice, &bob] {
        let state = phone.succeeds(&["status"]).await;
        assert_eq!(calls(&state), ["connected"], "{state}");
    }
}

#[tokio::test]
async fn sound_files_of_unusual_form_are_played_as_they_sound() {
    let parent = tempfile::tempdir().unwrap();
    let file = |name: &str| parent.path().join(name).to_str().unwrap().to_owned();
    let exchange = Exchange::start().await;
    let with = ["--auto-answer", "--record", &file("heard.wav")];
    let bob = Phone::running("201", &exchange, parent.path(), &with).await;
    let alice = Phone::running("200", &exchange, parent.path(), &[]).await;
    let mut lying = tone_wav();
    lying[40..44].copy_from_slice(&(u32::MAX - 1).to_le_bytes());
    let mut cut = other_wav(48_000, 1, 16);
    cut.truncate(cut.len() - 1_001);
    for (number, content) in (1..).zip([
        other_wav(44_100, 1, 24),
        other_wav(8_000, 2, 32),
        other_wav(96_000, 1, 16),
        other_wav(48_000, 6, 16),
        lying,
        cut,
    ]) {
        fs::write(file("odd.wav"), content).unwrap();
        let call = ["call", "201", "--duration", "2", "--play", &file("odd.wav")];
        let ended = alice.succeeds(&call).await;
        assert_eq!(ended["problem"], Value::Null, "{ended}");
        bob.succeeds(&["status", "--wait", "idle"]).await;
        let heard = match number {
            1 => file("heard.wav"),
            number => file(&format!("heard-{number}.wav")),
        };
        let heard = fs::read(heard).unwrap();
        let loudest = loudest_sample(&heard);
        assert!(
            (4_000..16_000).contains(&loudest),
            "file {number}: {loudest}"
        );
        let share = share_at_500(&heard);
        assert!(share > 0.9, "file {number}: {share}");
    }
}

/// How much of the second second of a WAV file of ours is 500 Hz.
fn share_at_500(wav: &[u8]) -> f64 {
    let samples: Vec<_> = wav[44..]
        .chunks_exact(2)
        .map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]]))
        .collect();
    media::tone::share_at(&samples[48_000..72_000], 500.0, 48_000)
}
