//! A mail of the mailbox as a page shows it. Whatever the file holds, reading it gives an answer.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mail_parser::{Address, MessageParser, MimeHeaders};

use super::content::{Content, QR_ID};
use crate::qr;

/// What a page shows of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadMail {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) subject: String,
    /// Seconds since the Unix epoch.
    pub(crate) date: Option<i64>,
    pub(crate) text: String,
    /// With its pictures in it, to be shown without scripts.
    pub(crate) html: Option<String>,
    pub(crate) attachments: Vec<Attachment>,
}

/// A part of a mail beside its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attachment {
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) bytes: usize,
    /// Shown within the HTML.
    pub(crate) inline: bool,
}

/// Reads a mail.
pub(crate) fn read(mail: &[u8]) -> ReadMail {
    let Some(message) = MessageParser::default().parse(mail) else {
        return ReadMail::default();
    };
    let mut html = message.body_html(0).map(|html| without_style(&html));
    let mut attachments = Vec::new();
    for part in message.attachments() {
        let kind = part.content_type().map_or_else(
            || "application/octet-stream".to_owned(),
            |kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("*")),
        );
        let id = part.content_id();
        if let (Some(id), Some(page)) = (id, &mut html)
            && kind == "image/png"
        {
            *page = page.replace(&format!("cid:{id}"), &png_uri(part.contents()));
        }
        attachments.push(Attachment {
            name: part.attachment_name().or(id).unwrap_or("?").to_owned(),
            content_type: kind,
            bytes: part.contents().len(),
            inline: id.is_some(),
        });
    }
    ReadMail {
        from: addresses(message.from()),
        to: addresses(message.to()),
        subject: message.subject().unwrap_or_default().to_owned(),
        date: message.date().map(mail_parser::DateTime::to_timestamp),
        text: message.body_text(0).unwrap_or_default().into_owned(),
        html,
        attachments,
    }
}

/// The HTML of a mail for a page: pictures in it, without the style sheet, which the page's policy forbids.
pub(crate) fn for_page(content: &Content) -> String {
    let html = without_style(&content.html);
    let picture = content.qr_link.as_ref().and_then(|link| qr::png(link).ok());
    match picture {
        Some(picture) => html.replace(&format!("cid:{QR_ID}"), &png_uri(&picture)),
        None => html,
    }
}

fn png_uri(bytes: &[u8]) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(bytes))
}

/// Style sheets are for mail programs; a page applies what stands at the elements.
fn without_style(html: &str) -> String {
    let mut left = html;
    let mut out = String::with_capacity(html.len());
    while let Some((before, rest)) = left.split_once("<style") {
        out.push_str(before);
        left = rest.split_once("</style>").map_or("", |(_, after)| after);
    }
    out.push_str(left);
    out
}

fn addresses(found: Option<&Address<'_>>) -> String {
    let list = found.map(|found| {
        let one = |address: &mail_parser::Addr<'_>| match (address.name(), address.address()) {
            (Some(name), Some(address)) => format!("{name} <{address}>"),
            (None, Some(address)) => address.to_owned(),
            (Some(name), None) => name.to_owned(),
            (None, None) => String::new(),
        };
        found.iter().map(one).collect::<Vec<_>>().join(", ")
    });
    list.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use store::{Language, MailKind};
    use uuid::Uuid;

    use super::*;
    use crate::mail::{
        Writer,
        message::{Heading, message},
        sample,
    };

    #[test]
    fn a_mail_of_ours_is_read_back_with_its_picture() {
        let portal = "https://portal.example";
        let writer = Writer::new(portal).unwrap();
        let letter = sample(MailKind::Activation, portal);
        let content = writer.write(&letter, Language::German).unwrap();
        let heading = Heading {
            sender_name: "Bäckerei Öztürk".to_owned(),
            sender: "phones@acme.example".parse().unwrap(),
            reply_to: None,
            recipient: "grace@example.com".parse().unwrap(),
            id: Uuid::from_u128(7),
            at: SystemTime::UNIX_EPOCH,
        };
        let bytes = message(&heading, &content).unwrap().formatted();
        let read = read(&bytes);
        assert_eq!(read.from, "Bäckerei Öztürk <phones@acme.example>");
        assert_eq!(read.to, "grace@example.com");
        assert_eq!(read.subject, content.subject);
        assert_eq!(read.date, Some(0));
        assert!(read.text.contains("Guten Tag Grace,"));
        let html = read.html.unwrap();
        assert!(html.contains("src=\"data:image/png;base64,"));
        assert!(!html.contains("<style") && !html.contains("cid:"));
        assert_eq!(html.replace("\r\n", "\n").trim(), for_page(&content).trim());
        let [picture] = read.attachments.as_slice() else {
            panic!("one picture");
        };
        assert!(picture.inline && picture.bytes > 100);
        assert_eq!(picture.content_type, "image/png");
    }

    #[test]
    fn whatever_a_file_holds_is_read() {
        for bytes in [
            &b""[..],
            b"\0\xff",
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x",
            b"<style",
        ] {
            let _ = read(bytes);
        }
        assert_eq!(without_style("a<style>b</style>c<style>d"), "ac");
    }
}
