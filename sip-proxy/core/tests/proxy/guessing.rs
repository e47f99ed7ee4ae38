//! Who guesses passwords is ignored after a while; who does not is never taken for him.

use std::time::Duration;

use sip::{Request, Transport};
use sip_proxy_core::{Ban, Command, Event};

use crate::bench::{Bench, DOMAIN};

const PHONE: u16 = 40_001;
const STRANGER: u16 = 41_999;
const OFFICE: [u8; 4] = [203, 0, 113, 9];
const VICTIM: [u8; 4] = [198, 51, 100, 7];

/// A request of 1001 as a stranger makes it.
fn request(bench: &mut Bench, method: &str) -> Request {
    let contact = format!("Contact: <sip:1001@127.0.0.1:{STRANGER}>\r\n");
    let callee = format!("sip:1002@{DOMAIN}");
    bench.request(STRANGER, method, &callee, "1001", &contact)
}

/// Asks for a challenge at `host` and answers it from there with a wrong password; whether that was answered.
fn guesses(bench: &mut Bench, host: [u8; 4]) -> bool {
    let plain = request(bench, "INVITE");
    bench.deliver_from(host, STRANGER, &plain);
    let Some(challenge) = bench.responses_to(STRANGER).pop() else {
        return false;
    };
    let guess = bench.answer(STRANGER, "1001", "guess", &plain, &challenge);
    bench.deliver_from(host, STRANGER, &guess);
    !bench.sent_to(STRANGER).is_empty()
}

fn bans(bench: &mut Bench) -> Vec<Ban> {
    bench.command(Command::ListBans);
    match bench.events.pop() {
        Some(Event::BansListed(bans)) => bans,
        other => panic!("{other:?}"),
    }
}

/// The answer's status and whether it calls the nonce stale.
fn answer(bench: &mut Bench) -> Option<(u16, bool)> {
    let answer = bench.responses_to(STRANGER).pop()?;
    let challenge = answer.header("Proxy-Authenticate").unwrap_or_default();
    Some((answer.status.code(), challenge.contains("stale=true")))
}

#[test]
fn who_guesses_is_ignored_and_the_registered_phone_is_not() {
    let mut bench = Bench::new();
    bench.register(PHONE, "1001");
    let answered = (0..100).filter(|_| guesses(&mut bench, OFFICE)).count();
    assert!((5..50).contains(&answered), "{answered}");
    let told = bench
        .events
        .iter()
        .any(|event| matches!(event, Event::SourceBanned { .. }));
    assert!(told, "operators hear of it");

    // The phone itself, from where it is registered, is not slowed down.
    let refresh = bench.register(PHONE, "1001");
    assert_eq!(refresh.status.code(), 200);

    // The ban ends.
    bench.pass(Duration::from_secs(601));
    let plain = request(&mut bench, "OPTIONS");
    bench.deliver_from(OFFICE, STRANGER, &plain);
    assert_eq!(answer(&mut bench), Some((407, false)));
}

#[test]
fn a_guess_at_an_account_read_ahead_takes_as_long_as_at_one_that_is_not_there() {
    let mut bench = Bench::new();
    let accounts = bench.all_accounts();
    bench.command(Command::AccountsRead(accounts));
    bench.hold_lookups = true;
    assert!(!guesses(&mut bench, OFFICE), "the store is asked first");
    bench.hold_lookups = false;
    bench.answer_lookups();
    assert!(answer(&mut bench).is_some());
    assert!(guesses(&mut bench, OFFICE));
    assert_eq!(bench.lookups, 1, "and only once");
}

#[test]
fn where_a_device_of_the_account_is_a_wrong_password_waits_for_nothing() {
    let mut bench = Bench::new();
    let accounts = bench.all_accounts();
    bench.command(Command::AccountsRead(accounts));
    bench.register(PHONE, "1001");
    bench.hold_lookups = true;
    assert!(guesses(&mut bench, [127, 0, 0, 1]));
    assert_eq!(bench.lookups, 0);
}

#[test]
fn guessing_from_many_addresses_is_slowed_down_for_the_account() {
    let mut bench = Bench::new();
    bench.register(PHONE, "1001");
    let answered = (0..200)
        .filter(|&host| guesses(&mut bench, [203, 0, 113, host]))
        .count();
    assert!(answered < 50, "{answered}");
    let refresh = bench.register(PHONE, "1001");
    assert_eq!(refresh.status.code(), 200);
}

#[test]
fn a_ban_hits_no_flow_on_which_the_account_was_proven_and_is_lifted_by_an_operator() {
    let mut bench = Bench::new();
    let options = request(&mut bench, "OPTIONS");
    let proven = bench.prove_from(OFFICE, STRANGER + 7, "secret-1001", &options);
    bench.deliver_from(OFFICE, STRANGER + 7, &proven);
    let proven = bench.responses_to(STRANGER + 7).pop().unwrap();
    assert_eq!(proven.status.code(), 200);
    // Somebody behind the same router guesses.
    for _ in 0..20 {
        guesses(&mut bench, OFFICE);
    }
    let banned = bans(&mut bench);
    assert_eq!(banned.len(), 1);
    assert_eq!(banned[0].source, std::net::IpAddr::from(OFFICE));
    assert!(banned[0].left > Duration::from_secs(590), "{banned:?}");

    let answers_on = |bench: &mut Bench, port| {
        let again = request(bench, "OPTIONS");
        bench.deliver_from(OFFICE, port, &again);
        !bench.sent_to(port).is_empty()
    };
    assert!(answers_on(&mut bench, STRANGER + 7), "the proven flow");
    assert!(!answers_on(&mut bench, STRANGER), "another one");
    bench.command(Command::Pardon(OFFICE.into()));
    assert!(answers_on(&mut bench, STRANGER), "after the pardon");
}

#[test]
fn a_ban_does_not_hit_who_has_proven_himself_by_asking_what_is_bound() {
    let mut bench = Bench::new();
    let port = STRANGER + 7;
    let mut asks = || {
        let query = bench.request(port, "REGISTER", &format!("sip:{DOMAIN}"), "1001", "");
        let proven = bench.prove_from(OFFICE, port, "secret-1001", &query);
        bench.deliver_from(OFFICE, port, &proven);
        let code = bench.responses_to(port).pop().unwrap().status.code();
        let _ = (0..20).filter(|_| guesses(&mut bench, OFFICE)).count();
        code
    };
    assert_eq!([asks(), asks()], [200, 200]);
    assert_eq!(bans(&mut bench).len(), 1);
}

#[test]
fn datagrams_with_a_forged_source_have_nobody_banned_and_guess_nothing() {
    let mut bench = Bench::new();
    // A nonce that somebody has got for himself, and one that is none of ours, in the name of who never asked for any.
    for _ in 0..100 {
        let plain = request(&mut bench, "INVITE");
        let mut forged = bench.prove_from(OFFICE, STRANGER, "guess", &plain);
        bench.deliver_from(VICTIM, STRANGER, &forged);
        assert_eq!(answer(&mut bench), Some((407, true)));
        let value = forged.header("Proxy-Authorization").unwrap();
        let at = value.find("nonce=\"").unwrap() + 7;
        let other = format!("{}AAAAAAAA{}", &value[..at], &value[at + 8..]);
        forged.set_header("Proxy-Authorization", other);
        bench.deliver_from(VICTIM, STRANGER, &forged);
        assert_eq!(answer(&mut bench), Some((407, false)));
    }
    assert_eq!(bans(&mut bench), []);
    assert_eq!(bench.lookups, 0, "nobody was looked up for them");
    // Nor does the account listen less to strangers.
    let plain = request(&mut bench, "OPTIONS");
    let proven = bench.prove_from(VICTIM, STRANGER, "secret-1001", &plain);
    bench.deliver_from(VICTIM, STRANGER, &proven);
    assert_eq!(answer(&mut bench), Some((200, false)));
    // What is known of the account makes no difference.
    let plain = request(&mut bench, "INVITE");
    let right = bench.prove_from(OFFICE, STRANGER, "secret-1001", &plain);
    bench.deliver_from(VICTIM, STRANGER, &right);
    assert_eq!(answer(&mut bench), Some((407, true)));
}

#[test]
fn who_has_another_address_since_is_challenged_once_more_and_not_taken_for_a_guesser() {
    let mut bench = Bench::new();
    for host in 0..50 {
        let plain = request(&mut bench, "OPTIONS");
        let left = bench.prove_from(OFFICE, STRANGER, "secret-1001", &plain);
        let there = [198, 51, 100, host];
        bench.deliver_from(there, STRANGER, &left);
        let challenge = bench.responses_to(STRANGER).pop().unwrap();
        let value = challenge.header("Proxy-Authenticate").unwrap();
        assert!(value.contains("stale=true"), "{value}");
        let again = bench.answer(STRANGER, "1001", "secret-1001", &plain, &challenge);
        bench.deliver_from(there, STRANGER, &again);
        assert_eq!(answer(&mut bench), Some((200, false)));
    }
    assert_eq!(bans(&mut bench), []);
}

#[test]
fn a_connection_proves_where_its_guesses_come_from() {
    let mut bench = Bench::new();
    bench.transport = Transport::Tcp;
    let mut answered = 0;
    for _ in 0..50 {
        let plain = request(&mut bench, "INVITE");
        let mut guess = plain.clone();
        guess.set_header(
            "Proxy-Authorization",
            format!(
                "Digest username=\"1001\", realm=\"{DOMAIN}\", nonce=\"made-up\", uri=\"{}\", response=\"{}\", \
                 algorithm=MD5, qop=auth, nc=00000001, cnonce=\"1\"",
                plain.uri.as_str(),
                "0".repeat(32)
            ),
        );
        bench.deliver(STRANGER, &guess);
        answered += usize::from(!bench.sent_to(STRANGER).is_empty());
    }
    assert_eq!(answered, 10);
    assert_eq!(bans(&mut bench).len(), 1);
}
