use super::*;

const MESSAGE: &str =
    "OPTIONS sip:a SIP/2.0\r\nContent-Type: x/y\r\nContent-Length: 4\r\n\r\nab\r\n";

fn message(text: &str) -> Frame {
    Frame::Message(Bytes::copy_from_slice(text.as_bytes()))
}

fn frames(mut framer: StreamFramer, pieces: &[&[u8]]) -> Result<Vec<Frame>, FramingError> {
    let mut frames = Vec::new();
    for piece in pieces {
        framer.push(piece);
        while let Some(frame) = framer.next_frame()? {
            frames.push(frame);
        }
    }
    Ok(frames)
}

#[test]
fn messages_and_pings_come_out_however_the_bytes_were_cut() {
    let stream = format!("\r\n{MESSAGE}\r\n\r\n{MESSAGE}{MESSAGE}\r\n\r\n\r\n\r\n\r\n{MESSAGE}");
    let message = message(MESSAGE);
    let expected = vec![
        message.clone(),
        Frame::Ping,
        message.clone(),
        message.clone(),
        Frame::Ping,
        Frame::Ping,
        message,
    ];
    for size in 1..=stream.len() {
        let pieces: Vec<_> = stream.as_bytes().chunks(size).collect();
        assert_eq!(
            frames(StreamFramer::accepted(), &pieces).unwrap(),
            expected,
            "pieces of {size}"
        );
    }
}

#[test]
fn on_a_connection_of_ours_a_line_end_is_a_pong_at_once() {
    let frames = frames(
        StreamFramer::opened(),
        &[b"\r\n", b"\r", b"\n", b"\r\n\r\n", MESSAGE.as_bytes()],
    )
    .unwrap();
    assert_eq!(
        frames,
        [Frame::Pong, Frame::Pong, Frame::Ping, message(MESSAGE)]
    );
}

#[test]
fn only_a_begun_message_counts_as_begun() {
    let mut framer = StreamFramer::accepted();
    assert!(!framer.is_inside_message());
    framer.push(b"\r\n\r");
    assert_eq!(
        (framer.next_frame(), framer.is_inside_message()),
        (Ok(None), false)
    );
    framer.push(b"\nO");
    assert_eq!(
        (framer.next_frame(), framer.is_inside_message()),
        (Ok(Some(Frame::Ping)), true)
    );
}

#[test]
fn without_a_clear_length_framing_is_lost_for_good() {
    for length in [
        "",
        "l: 1\r\nl: 2\r\n",
        "l: -1\r\n",
        "l: 99999999999999999999999\r\n",
        "Content-Length: x\r\n",
        "l\r\n: 1\r\n",
    ] {
        let mut framer = StreamFramer::accepted();
        framer.push(format!("OPTIONS sip:a SIP/2.0\r\n{length}\r\n").as_bytes());
        assert_eq!(
            framer.next_frame(),
            Err(FramingError::ContentLength),
            "{length:?}"
        );
        framer.push(MESSAGE.as_bytes());
        assert_eq!(framer.next_frame(), Err(FramingError::ContentLength));
    }
}

#[test]
fn lengths_that_agree_and_broken_other_headers_do_not_lose_framing() {
    for odd in [
        "l: 4\r\nContent-Length : 04\r\n",
        "no header\r\nl:\r\n 4\r\n",
        "Caf\u{e9}: x\r\nl: 4\r\n",
    ] {
        let text = format!("OPTIONS sip:a SIP/2.0\r\n{odd}\r\nab\r\n");
        assert_eq!(
            frames(StreamFramer::accepted(), &[text.as_bytes()]),
            Ok(vec![message(&text)]),
            "{odd:?}"
        );
    }
}

#[test]
fn a_message_that_never_ends_is_cut_off_at_the_limit() {
    let mut framer = StreamFramer::accepted();
    framer.push(&vec![b'x'; MAX_MESSAGE_BYTES]);
    assert_eq!(framer.next_frame(), Ok(None));
    framer.push(b"x");
    assert_eq!(framer.next_frame(), Err(FramingError::TooLarge));

    let head = "OPTIONS sip:a SIP/2.0\r\nl: ";
    let fits = MAX_MESSAGE_BYTES - format!("{head}65000\r\n\r\n").len();
    assert_eq!(
        frames(
            StreamFramer::accepted(),
            &[format!("{head}{fits}\r\n\r\n").as_bytes()]
        ),
        Ok(vec![])
    );
    assert_eq!(
        frames(
            StreamFramer::accepted(),
            &[format!("{head}2000000\r\n\r\n").as_bytes()]
        ),
        Err(FramingError::TooLarge),
    );
}

#[test]
fn of_a_message_that_is_too_large_the_head_comes_out_and_the_stream_goes_on() {
    let head = "OPTIONS sip:a SIP/2.0\r\nl: 70000\r\n\r\n";
    let stream = format!("{MESSAGE}{head}{}{MESSAGE}", "x".repeat(70_000));
    let expected = [message(MESSAGE), message(head), message(MESSAGE)];
    for size in [1, 7, 1_000, 65_536, stream.len()] {
        let pieces: Vec<_> = stream.as_bytes().chunks(size).collect();
        let frames = frames(StreamFramer::accepted(), &pieces).unwrap();
        assert_eq!(frames, expected, "pieces of {size}");
    }
    let mut framer = StreamFramer::accepted();
    framer.push(head.as_bytes());
    assert_eq!(framer.next_frame(), Ok(Some(message(head))));
    assert_eq!(framer.next_frame(), Ok(None));
    assert!(framer.is_inside_message(), "its body is still to come");
}

#[test]
fn twenty_thousand_pipelined_messages_come_out() {
    let stream = MESSAGE.repeat(20_000);
    assert_eq!(
        frames(StreamFramer::accepted(), &[stream.as_bytes()])
            .unwrap()
            .len(),
        20_000
    );
}
