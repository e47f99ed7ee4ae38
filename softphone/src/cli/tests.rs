use clap::CommandFactory as _;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split(' '))
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn links_and_numbers_are_never_options() {
    assert!(parse("softphone call --help-me").is_err());
    assert!(parse("softphone activate --link https://a.example/activate#x").is_ok());
    assert!(parse("softphone activate tandem:activate?portal=x&token=y").is_ok());
    let open = parse("softphone open tel:+4930123;ext=1").unwrap();
    assert!(matches!(
        open.command,
        Command::Open(Open { yes: false, .. })
    ));
    assert!(parse("softphone open --yes=tel:1").is_err());
}

#[test]
fn an_activation_needs_exactly_one_invitation() {
    for line in [
        "softphone activate",
        "softphone activate --code ABCD-EFGH-JKMN-PQRS",
        "softphone activate --code A --portal p --qr x.png",
        "softphone activate --link x --portal p",
        "softphone activate --portal p",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
    assert!(parse("softphone activate --code A --portal p").is_ok());
    assert!(parse("softphone activate --qr x.png").is_ok());
}

#[test]
fn what_is_recorded_is_a_number_or_the_conference() {
    for line in [
        "softphone record 3 start --to a.opus",
        "softphone record conference stop",
    ] {
        assert!(parse(line).is_ok(), "{line}");
    }
    assert!(parse("softphone record all start").is_err());
    assert!(parse("softphone conference start 1").is_err());
    assert!(parse("softphone conference start 1 2 3 4 5").is_ok());
}

#[test]
fn seconds_are_bounded() {
    assert_eq!(seconds("1.5"), Ok(Duration::from_millis(1500)));
    for text in ["-1", "x", "1e9", "NaN", "inf"] {
        assert!(seconds(text).is_err(), "{text}");
    }
}
