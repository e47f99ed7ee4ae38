use super::*;
use crate::failure::FailureKind;

#[test]
fn lines_read_as_documented() {
    let request: Request =
        serde_json::from_str(r#"{"id":1,"command":{"type":"call","number":"200"}}"#).unwrap();
    let sound = SoundFiles::default();
    let command = Command::Call {
        number: "200".to_owned(),
        line: None,
        sound,
    };
    assert_eq!(request, Request { id: 1, command });

    let done = Line {
        id: Some(1),
        answer: Answer::Done(Done {
            call: Some(1),
            file: None,
        }),
    };
    assert_eq!(
        serde_json::to_string(&done).unwrap(),
        r#"{"id":1,"done":{"call":1}}"#
    );
    let failure = Failure::new(FailureKind::NotPossible, "there is no call");
    let failed = Line {
        id: Some(2),
        answer: Answer::Failed(failure),
    };
    let text = r#"{"id":2,"failed":{"kind":"not-possible","message":"there is no call"}}"#;
    assert_eq!(serde_json::to_string(&failed).unwrap(), text);
    assert_eq!(serde_json::from_str::<Line>(text).unwrap(), failed);
    let state = Line {
        id: None,
        answer: Answer::State(Box::default()),
    };
    let text = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), state);
}

#[test]
fn unknown_commands_and_fields_are_refused() {
    for text in [
        r#"{"id":1,"command":{"type":"shell","run":"x"}}"#,
        r#"{"id":1,"command":{"type":"hang-up","now":true}}"#,
        r#"{"id":1,"command":{"type":"status"},"extra":1}"#,
        r#"{"command":{"type":"status"}}"#,
    ] {
        assert!(serde_json::from_str::<Request>(text).is_err(), "{text}");
    }
}
