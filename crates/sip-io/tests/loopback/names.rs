//! Names and addresses.

use sip::{Host, ResolveError, ResolveId, ResolveRequest, Security, Target, Transport};
use sip_io::{Limits, Listeners};

use crate::{Ask, Behaviour, Running, Told};

fn look_up(id: u64, host: Host, transport: Option<Transport>) -> Ask {
    Ask::Resolve(ResolveRequest {
        id: ResolveId(id),
        host,
        port: None,
        transport,
        security: Security::Any,
    })
}

#[tokio::test]
async fn literals_and_local_names_resolve_and_names_that_cannot_exist_do_not() {
    let mut probe = Running::start(Behaviour::Tell).await;
    probe
        .ask(look_up(1, "192.0.2.7".parse().unwrap(), None))
        .await;
    let literal = vec![Target::new(
        Transport::Udp,
        "192.0.2.7:5060".parse().unwrap(),
    )];
    assert_eq!(
        probe.told().await,
        Told::Resolved(ResolveId(1), Ok(literal))
    );

    probe
        .ask(look_up(
            2,
            "localhost".parse().unwrap(),
            Some(Transport::Udp),
        ))
        .await;
    match probe.told().await {
        // Only an IPv4 socket is bound, so only IPv4 is of use.
        Told::Resolved(ResolveId(2), Ok(found)) => {
            let peers: Vec<_> = found.iter().map(|target| target.peer).collect();
            assert_eq!(peers, ["127.0.0.1:5060".parse().unwrap()]);
        }
        other => panic!("{other:?}"),
    }

    for name in ["sip.invalid", "df7jal23ls0d.INVALID."] {
        probe
            .ask(look_up(3, Host::Name(name.to_owned()), None))
            .await;
        assert_eq!(
            probe.told().await,
            Told::Resolved(ResolveId(3), Err(ResolveError::NotFound))
        );
    }
    probe.finish().await;
}

#[tokio::test]
async fn more_look_ups_than_allowed_are_refused_at_once() {
    let limits = Limits {
        resolves: 0,
        ..Limits::default()
    };
    let mut probe = Running::with(Behaviour::Tell, limits, 64).await;
    probe
        .ask(look_up(1, "localhost".parse().unwrap(), None))
        .await;
    assert_eq!(
        probe.told().await,
        Told::Resolved(ResolveId(1), Err(ResolveError::Busy))
    );
    probe.finish().await;
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let first = Listeners::on("127.0.0.1:0".parse().unwrap())
        .bind()
        .unwrap();
    let taken = first.udp_addresses()[0];
    let error = Listeners::on(taken).bind().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&taken.to_string()), "{error}");
}
