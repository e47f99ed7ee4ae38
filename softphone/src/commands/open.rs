//! `open`: a link that another program handed over.
//!
//! A web page can make a browser open such a link, so nothing happens without the person's word:
//! no premium number is dialled, no call ended and no phone activated by a page.

use reqwest::Url;

use super::{activate, calls, connect};
use crate::cli::{self, Wait};
use crate::control::protocol::Command as Ask;
use crate::failure::{Failure, FailureKind};
use crate::portal::{ActivationRequest, MAX_LINK_BYTES};
use crate::profile::{KeyPlaceChoice, ProfileFolder};
use crate::terminal::{Terminal, shown};

/// What a link asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wish {
    Call(String),
    Answer,
    Reject,
    HangUp,
    HoldOrResume,
    Activate,
}

pub(super) async fn open(
    asked: cli::Open,
    key_choice: KeyPlaceChoice,
    folder: &ProfileFolder,
    terminal: Terminal,
) -> Result<(), Failure> {
    let wish = wish_of(&asked.url).ok_or_else(|| {
        Failure::new(
            FailureKind::Usage,
            "this is not a link that a softphone can follow",
        )
    })?;
    if wish == Wish::Activate {
        let request = ActivationRequest::from_link(&asked.url)?;
        activate::confirm(&request, asked.yes, terminal)?;
        return activate::activate(
            cli::Activate::from_link(asked.url),
            key_choice,
            folder,
            terminal,
        )
        .await;
    }
    let question = match &wish {
        Wish::Call(number) => format!("Call {}?", shown(number)),
        Wish::Answer => "Answer the ringing call?".to_owned(),
        Wish::Reject => "Decline the ringing call?".to_owned(),
        Wish::HangUp => "Hang up?".to_owned(),
        Wish::HoldOrResume | Wish::Activate => "Hold or resume the call?".to_owned(),
    };
    if !asked.yes && !terminal.confirm(&question) {
        return Err(Failure::new(
            FailureKind::Cancelled,
            format!("not done; a link asked: {question} Add --yes if you want that"),
        ));
    }
    let mut phone = connect(folder).await?;
    let command = match wish {
        Wish::Call(number) => {
            let call = cli::Call::to(number, Wait::Placed);
            return calls::call(call, &mut phone, terminal).await;
        }
        Wish::Answer => Ask::Answer {
            call: None,
            sound: Default::default(),
        },
        Wish::Reject => Ask::Reject {
            call: None,
            told: Default::default(),
        },
        Wish::HangUp => Ask::HangUp { call: None },
        Wish::HoldOrResume | Wish::Activate => {
            match phone.request(Ask::Hold { call: None }).await {
                Err(failure) if failure.kind == FailureKind::NotPossible => {
                    Ask::Resume { call: None }
                }
                held => {
                    terminal.result(&held?, "On hold");
                    return Ok(());
                }
            }
        }
    };
    let done = phone.request(command).await?;
    terminal.result(&done, "Done");
    Ok(())
}

/// Reads a link strictly; whatever is not exactly known is no wish.
fn wish_of(text: &str) -> Option<Wish> {
    if text.len() > MAX_LINK_BYTES {
        return None;
    }
    let (scheme, rest) = text.split_once(':')?;
    match scheme.to_ascii_lowercase().as_str() {
        "tel" => Some(Wish::Call(text.to_owned())),
        // The number may be percent-encoded and have slashes in front, as browsers pass it on.
        "callto" => {
            let url = Url::parse(&format!(
                "x:?n={}",
                rest.trim_start_matches('/').replace('+', "%2B")
            ))
            .ok()?;
            let (_, number) = url.query_pairs().next()?;
            Some(Wish::Call(number.into_owned()))
        }
        "sip" | "sips" => Some(Wish::Call(text.to_owned())),
        "tandem" => tandem_wish(&Url::parse(text).ok()?),
        _ => None,
    }
}

fn tandem_wish(url: &Url) -> Option<Wish> {
    let named = url.host_str().unwrap_or_default().to_owned() + url.path().trim_matches('/');
    let mut query = url.query_pairs();
    let wish = match named.as_str() {
        "activate" => return Some(Wish::Activate),
        "call" => match query.next() {
            Some((name, number)) if name == "number" => Wish::Call(number.into_owned()),
            _ => return None,
        },
        "answer" => Wish::Answer,
        "reject" => Wish::Reject,
        "hangup" => Wish::HangUp,
        "hold_unhold" => Wish::HoldOrResume,
        _ => return None,
    };
    (query.next().is_none() && url.fragment().is_none()).then_some(wish)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_say_what_they_want() {
        let call = |number: &str| Some(Wish::Call(number.to_owned()));
        for (text, wish) in [
            ("tel:+49-30-123;ext=4", call("tel:+49-30-123;ext=4")),
            ("callto:%2B4930123", call("+4930123")),
            ("callto://+4930123", call("+4930123")),
            ("sip:200@example.org", call("sip:200@example.org")),
            ("tandem:call?number=%2B4930", call("+4930")),
            ("tandem:hangup", Some(Wish::HangUp)),
            ("tandem://answer/", Some(Wish::Answer)),
            ("tandem:reject", Some(Wish::Reject)),
            ("tandem:hold_unhold", Some(Wish::HoldOrResume)),
            ("tandem:activate?portal=x&token=y", Some(Wish::Activate)),
            ("tandem:call?number=1&line=2", None),
            ("tandem:call", None),
            ("tandem:hangup?x=1", None),
            ("tandem:run?program=x", None),
            ("https://example.org", None),
            ("--yes", None),
            ("", None),
        ] {
            assert_eq!(wish_of(text), wish, "{text}");
        }
    }
}
