//! A mail as it goes over the wire (RFC 5322, RFC 2045 to 2047): text and HTML as alternatives, the QR code inline by its Content-ID
//! (RFC 2392).
//!
//! Headers are made of typed values: no text can begin another header. Auto-Submitted (RFC 3834) keeps vacation programs from
//! answering. Message-ID is made of the row's key, so that a mail that is sent twice after a crash is one to the receiver.

use std::time::SystemTime;

use lettre::{
    Address, Message,
    message::{
        Attachment, Mailbox, MultiPart, SinglePart,
        header::{ContentType, Header, HeaderName, HeaderValue},
    },
};
use uuid::Uuid;

use super::content::{Content, QR_ID, one_line};
use crate::qr;

/// Who writes to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heading {
    pub(crate) sender_name: String,
    pub(crate) sender: Address,
    pub(crate) reply_to: Option<Address>,
    pub(crate) recipient: Address,
    /// The row's key.
    pub(crate) id: Uuid,
    pub(crate) at: SystemTime,
}

/// The message cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mail cannot be put together")]
pub(crate) struct MessageError;

/// The mail with this heading.
pub(crate) fn message(heading: &Heading, content: &Content) -> Result<Message, MessageError> {
    let name = Some(header_text(&heading.sender_name)).filter(|name| !name.trim().is_empty());
    let domain = heading.sender.domain();
    let mut builder = Message::builder()
        .date(heading.at)
        .from(Mailbox::new(name, heading.sender.clone()))
        .to(Mailbox::new(None, heading.recipient.clone()))
        .subject(header_text(&content.subject))
        .message_id(Some(format!("<{}@{domain}>", heading.id.simple())))
        .header(AutoSubmitted);
    if let Some(address) = &heading.reply_to {
        builder = builder.reply_to(Mailbox::new(None, address.clone()));
    }
    let alternatives = MultiPart::alternative()
        .singlepart(SinglePart::plain(content.text.clone()))
        .multipart(html(content)?);
    builder.multipart(alternatives).map_err(|_| MessageError)
}

/// Text that is read as it is written: not as an encoded word (RFC 2047), which could hold line ends.
fn header_text(text: &str) -> String {
    one_line(text).replace("=?", "= ?")
}

/// The HTML with its picture.
fn html(content: &Content) -> Result<MultiPart, MessageError> {
    let page = MultiPart::related().singlepart(SinglePart::html(content.html.clone()));
    let Some(link) = &content.qr_link else {
        return Ok(page);
    };
    let picture = qr::png(link).map_err(|_| MessageError)?;
    let kind = ContentType::parse("image/png").map_err(|_| MessageError)?;
    let inline = Attachment::new_inline_with_name(QR_ID.to_owned(), "activation.png".to_owned());
    Ok(page.singlepart(inline.body(picture, kind)))
}

/// `Auto-Submitted: auto-generated`
#[derive(Clone, Copy)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use mail_parser::{MessageParser, MimeHeaders, PartType};
    use store::{Language, MailKind};

    use super::*;
    use crate::mail::{Writer, sample};

    const PORTAL: &str = "https://portal.example";

    fn heading() -> Heading {
        Heading {
            sender_name: "Acme".to_owned(),
            sender: "phones@acme.example".parse().unwrap(),
            reply_to: Some("help@acme.example".parse().unwrap()),
            recipient: "grace@example.com".parse().unwrap(),
            id: Uuid::from_u128(7),
            at: SystemTime::UNIX_EPOCH,
        }
    }

    fn content() -> Content {
        let writer = Writer::new(PORTAL).unwrap();
        let letter = sample(MailKind::Activation, PORTAL);
        writer.write(&letter, Language::German).unwrap()
    }

    #[test]
    fn the_mail_has_text_html_and_a_picture_that_reads_as_the_link() {
        let content = content();
        let bytes = message(&heading(), &content).unwrap().formatted();
        let read = MessageParser::default().parse(&bytes).unwrap();
        let text = read.body_text(0).unwrap().replace("\r\n", "\n");
        assert_eq!(text.trim_end(), content.text.trim_end());
        let html = read.body_html(0).unwrap().replace("\r\n", "\n");
        assert_eq!(html.trim_end(), content.html.trim_end());
        let picture = read
            .attachments()
            .find(|part| part.content_id() == Some(QR_ID))
            .unwrap();
        let (PartType::InlineBinary(bytes) | PartType::Binary(bytes)) = &picture.body else {
            panic!("a picture");
        };
        let picture = image::load_from_memory(bytes).unwrap().to_luma8();
        let mut picture = rqrr::PreparedImage::prepare(picture);
        let (_, read_link) = picture.detect_grids()[0].decode().unwrap();
        assert_eq!(Some(read_link), content.qr_link);
    }

    #[test]
    fn headers_say_what_a_mail_of_a_program_should() {
        let bytes = message(&heading(), &content()).unwrap().formatted();
        let text = String::from_utf8(bytes).unwrap();
        let (headers, _) = text.split_once("\r\n\r\n").unwrap();
        for header in [
            "Date: Thu, 01 Jan 1970 00:00:00 +0000",
            "From: Acme <phones@acme.example>",
            "To: grace@example.com",
            "Reply-To: help@acme.example",
            "Message-ID: <00000000000000000000000000000007@acme.example>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
        ] {
            assert!(
                headers.lines().any(|line| line == header),
                "{header} in {headers}"
            );
        }
        assert!(text.is_ascii(), "any server takes it");
        assert!(
            text.lines().all(|line| line.len() <= 998),
            "RFC 5322 section 2.1.1"
        );
    }

    #[test]
    fn no_text_begins_another_header() {
        for evil in [
            "x\r\nBcc: everybody@example.com",
            "x\nBcc: everybody@example.com",
            "x\rBcc: everybody@example.com",
            "x\u{2028}Bcc: everybody@example.com",
            "=?utf-8?q?x=0d=0aBcc:_everybody@example.com?=",
            "x\0\r\n\r\n<script>",
        ] {
            let heading = Heading {
                sender_name: evil.to_owned(),
                ..heading()
            };
            let content = Content {
                subject: evil.to_owned(),
                ..content()
            };
            let bytes = message(&heading, &content).unwrap().formatted();
            let text = String::from_utf8(bytes.clone()).unwrap();
            let (headers, _) = text.split_once("\r\n\r\n").unwrap();
            let names: Vec<_> = headers
                .lines()
                .filter(|line| !line.starts_with([' ', '\t']))
                .map(|line| line.split(':').next().unwrap())
                .collect();
            assert_eq!(names.len(), 9, "{names:?}");
            assert!(!names.contains(&"Bcc"));
            let read = MessageParser::default().parse(&bytes).unwrap();
            assert!(read.bcc().is_none());
            assert!(!read.subject().unwrap().contains('\n'));
        }
        for address in [
            "a@example.com\r\nBcc: x@example.com",
            "a@example.com>\r\n",
            "a b@example.com",
        ] {
            assert!(address.parse::<Address>().is_err(), "{address}");
        }
    }
}
