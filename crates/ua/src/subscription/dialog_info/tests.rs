use super::*;

fn example() -> DialogInfo {
    let mut dialog = DialogEntry::new("as7d900as8", EntryState::Early);
    dialog.call_id = Some("a84b4c76e66710".to_owned());
    dialog.local_tag = Some("1928301774".to_owned());
    dialog.remote_tag = Some("456887766".to_owned());
    dialog.direction = Some(Direction::Recipient);
    dialog.duration_secs = Some(7);
    dialog.local = Some(Participant {
        identity: Some(Identity {
            uri: "sip:alice@example.com".to_owned(),
            display: Some("Alice <&> \"A\" 'Ä'".to_owned()),
        }),
        target: Some("sip:alice@192.0.2.1:5060;a=b&c".to_owned()),
    });
    dialog.remote = Some(Participant {
        identity: Some(Identity {
            uri: "sip:bob@example.com?x=<&>".to_owned(),
            display: None,
        }),
        target: None,
    });
    let mut ended = DialogEntry::new("2", EntryState::Terminated);
    ended.event = Some(EntryEvent::Rejected);
    ended.code = Some(486);
    DialogInfo {
        version: 3,
        scope: Scope::Partial,
        entity: "sip:alice@example.com".to_owned(),
        dialogs: vec![dialog, ended],
    }
}

#[test]
fn what_is_written_is_read() {
    let info = example();
    let xml = info.to_xml();
    assert_eq!(DialogInfo::parse(xml.as_bytes()), Ok(info), "{xml}");
}

#[test]
fn characters_that_xml_cannot_hold_are_left_out() {
    let mut info = example();
    info.entity = "sip:a\u{0}\u{b}\u{ffff}@b".to_owned();
    let read = DialogInfo::parse(info.to_xml().as_bytes()).unwrap();
    assert_eq!(read.entity, "sip:a@b");
}

/// With a prefix, foreign elements, comments, CDATA and layout, as other systems write it.
#[test]
fn document_of_another_hand_is_read() {
    let xml = "\u{feff}<?xml version='1.0'?>\n<!-- hello -->\n\
        <d:dialog-info xmlns:d='urn:ietf:params:xml:ns:dialog-info' xmlns:x='urn:x' \
          version=' 0 ' state='full' entity='sip:a@b' x:new='1'>\n\
          <x:dialog id='none'><x:state>confirmed</x:state></x:dialog>\n\
          <d:dialog id='1' direction='sideways'>\n\
            <d:state event='odd' code='9'> <![CDATA[confirmed]]>\n</d:state>\n\
            <d:local><d:identity>sip:a&#64;b</d:identity><d:target uri='sip:c'>\
              <d:param pname='x' pval='y'/></d:target></d:local>\n\
            <d:new><d:state>early</d:state></d:new>\n\
          </d:dialog>\n\
        </d:dialog-info>\n";
    let info = DialogInfo::parse(xml.as_bytes()).unwrap();
    assert_eq!((info.version, info.scope), (0, Scope::Full));
    let [dialog] = &info.dialogs[..] else {
        panic!("{info:?}")
    };
    assert_eq!(dialog.state, EntryState::Confirmed);
    assert_eq!(
        (dialog.direction, dialog.event, dialog.code),
        (None, None, None)
    );
    let local = dialog.local.as_ref().unwrap();
    assert_eq!(local.identity.as_ref().unwrap().uri, "sip:a@b");
    assert_eq!(local.target.as_deref(), Some("sip:c"));
}

fn document(inside: &str) -> String {
    format!(
        "<dialog-info xmlns='{NAMESPACE}' version='0' state='full' entity='sip:a@b'>{inside}</dialog-info>"
    )
}

#[test]
fn entities_and_document_types_are_refused() {
    let bomb = format!(
        "<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>{}",
        document("<dialog id='&b;'><state>early</state></dialog>")
    );
    let file = format!(
        "<!DOCTYPE d [<!ENTITY f SYSTEM 'file:///etc/passwd'>]>{}",
        document("&f;")
    );
    let own_in_text = document(
        "<dialog id='1'><state>early</state><local><identity>&f;</identity></local></dialog>",
    );
    let own_in_attribute = document("<dialog id='&f;'><state>early</state></dialog>");
    for xml in [bomb, file, own_in_text, own_in_attribute] {
        assert_eq!(
            DialogInfo::parse(xml.as_bytes()),
            Err(DialogInfoError::Entity),
            "{xml}"
        );
    }
}

#[test]
fn sizes_are_bounded() {
    let one = "<dialog id='1'><state>early</state></dialog>";
    let cases = [
        " ".repeat(70_000),
        document(&one.repeat(257)),
        document(&"<a>".repeat(13)),
        document(&format!("<dialog id='{}'/>", "a".repeat(2_000))),
        document(&format!(
            "<dialog id='1'><state>{}</state></dialog>",
            "a".repeat(2_000)
        )),
    ];
    for xml in cases {
        assert_eq!(
            DialogInfo::parse(xml.as_bytes()),
            Err(DialogInfoError::TooLarge),
            "{xml:.80}"
        );
    }
    assert!(DialogInfo::parse(document(&one.repeat(256)).as_bytes()).is_ok());
}

#[test]
fn malformed_documents_are_refused() {
    use DialogInfoError::{NotDialogInfo, Value};
    let value = |name| Value { name };
    for (xml, error) in [
        (String::new(), NotDialogInfo),
        ("text".to_owned(), NotDialogInfo),
        ("<presence/>".to_owned(), NotDialogInfo),
        (
            "<dialog-info version='0' state='full' entity='a'/>".to_owned(),
            NotDialogInfo,
        ),
        (document("") + &document(""), NotDialogInfo),
        (document("<dialog/>"), value("id")),
        (document("<dialog id='1'/>"), value("state")),
        (
            document("<dialog id='1'><state>asleep</state></dialog>"),
            value("state"),
        ),
        (
            document("<dialog id='1'><state>early</state><duration>-1</duration></dialog>"),
            value("duration"),
        ),
        (
            document("").replace("version='0'", "version='-1'"),
            value("version"),
        ),
        (document("").replace("version='0'", ""), value("version")),
        (document("").replace("'full'", "'half'"), value("state")),
        (document("").replace("entity", "identity"), value("entity")),
    ] {
        assert_eq!(DialogInfo::parse(xml.as_bytes()), Err(error), "{xml}");
    }
    for xml in [
        document("<dialog id='1'>"),
        document("</a>"),
        document("<dialog id='1' id='2'/>"),
        document("<dialog id=1 />"),
        document("").replace("</dialog-info>", ""),
        "<".to_owned(),
        "<!".to_owned(),
        "<dialog-info".to_owned(),
    ] {
        let read = DialogInfo::parse(xml.as_bytes());
        assert!(
            matches!(read, Err(DialogInfoError::Xml { .. })),
            "{xml}: {read:?}"
        );
    }
    assert!(DialogInfo::parse(b"\xff\xfe<").is_err());
}

/// Every document cut off anywhere, and with any byte changed, is read or refused.
#[test]
fn damaged_documents_do_no_harm() {
    let xml = example().to_xml();
    for at in 0..xml.len() {
        let mut bytes = xml.as_bytes().to_vec();
        for byte in [0, b'<', b'>', b'&', b'"', b'/', 0xff] {
            bytes[at] = byte;
            let _ = DialogInfo::parse(&bytes);
        }
        assert!(DialogInfo::parse(&xml.as_bytes()[..at]).is_err());
    }
}

#[test]
fn picture_follows_full_and_partial_documents() {
    let info = |version, scope, dialogs: &[(&str, EntryState)]| DialogInfo {
        version,
        scope,
        entity: String::new(),
        dialogs: dialogs
            .iter()
            .map(|(id, state)| DialogEntry::new(*id, *state))
            .collect(),
    };
    let ids = |table: &DialogTable| -> String {
        table
            .dialogs()
            .iter()
            .map(|dialog| dialog.id.as_str())
            .collect()
    };
    use EntryState::{Confirmed, Early, Terminated};
    let mut table = DialogTable::new();
    let early = Err(Gap {
        version: 4,
        expected: 0,
    });
    assert_eq!(
        table.apply(&info(4, Scope::Partial, &[("x", Early)])),
        early
    );
    assert_eq!(
        table.apply(&info(0, Scope::Full, &[("a", Early), ("b", Early)])),
        Ok(())
    );
    assert_eq!(
        table.apply(&info(1, Scope::Partial, &[("b", Confirmed)])),
        Ok(())
    );
    assert_eq!(ids(&table), "ab");
    // A document that was overtaken changes nothing.
    assert_eq!(table.apply(&info(1, Scope::Full, &[])), Ok(()));
    assert_eq!(ids(&table), "ab");
    let gap = Err(Gap {
        version: 3,
        expected: 2,
    });
    assert_eq!(
        table.apply(&info(3, Scope::Partial, &[("a", Terminated)])),
        gap
    );
    assert_eq!(ids(&table), "ab");
    assert_eq!(
        table.apply(&info(2, Scope::Partial, &[("a", Terminated)])),
        Ok(())
    );
    assert_eq!(ids(&table), "b");
    assert_eq!(table.apply(&info(9, Scope::Full, &[("c", Early)])), Ok(()));
    assert_eq!(ids(&table), "c");
}
