//! What the relay refuses, and says so.

use std::net::Ipv6Addr;

use media::relay::{PairError, RelayError};

use super::*;

/// A relay whose range has room for the shared port and one pair. Nobody else has ports at its address.
fn narrow() -> RelayHandle {
    let range = PortRange::new(40_000, 40_003).unwrap();
    start(&RelayOptions { range, ..options() }).unwrap()
}

#[tokio::test]
async fn used_up_ports_are_said_and_leave_nothing_open() {
    let relay = narrow();
    let call = relay.create_call().await.unwrap();
    let none = call.add_stream([OWN; 2]).await.unwrap_err();
    let all = PairError::AllInUse { pairs: 2 };
    assert!(matches!(none, RelayIoError::Pair(error) if error == all));
    assert_eq!(relay.stats().await.unwrap().pairs_used, 0);
    call.add_stream([OWN, SHARED]).await.unwrap();
}

#[tokio::test]
async fn an_account_gets_its_quota_of_pairs() {
    let relay = start(&options()).unwrap();
    let call = relay.create_call().await.unwrap();
    for _ in 0..2 {
        call.add_stream([OWN; 2]).await.unwrap();
    }
    let other = LegRequest {
        pair: Wanted::Own(OwnerId(2)),
        ..OWN
    };
    let refused = call.add_stream([other, OWN]).await.unwrap_err();
    assert!(matches!(
        refused,
        RelayIoError::Pair(PairError::QuotaReached { quota: 4 })
    ));
    assert_eq!(relay.stats().await.unwrap().pairs_used, 4);
    call.add_stream([other; 2]).await.unwrap();
}

#[tokio::test]
async fn a_full_table_is_said() {
    let relay = start(&RelayOptions {
        max_calls: 1,
        ..options()
    })
    .unwrap();
    let call = relay.create_call().await.unwrap();
    let full = RelayError::TooManyCalls { max_calls: 1 };
    assert!(matches!(relay.create_call().await, Err(RelayIoError::Relay(error)) if error == full));
    drop(call);
    relay.create_call().await.unwrap();
}

#[tokio::test]
async fn ipv4_and_ipv6_are_joined_but_not_confused() {
    let relay = start(&RelayOptions {
        addresses: vec![own_loopback(), Ipv6Addr::LOCALHOST.into()],
        ..options()
    })
    .unwrap();
    let v6 = LegRequest {
        interface: 1,
        ..SHARED
    };
    let (mut caller, mut callee) = (
        Party::new(1).await,
        Party::on(Ipv6Addr::LOCALHOST.into(), 2).await,
    );
    let call = relay.create_call().await.unwrap();
    let (stream, [to_caller, to_callee]) = call.add_stream([SHARED, v6]).await.unwrap();
    let wrong = call.announce(stream, Side::Caller, callee.peer()).await;
    assert!(matches!(wrong, Err(RelayIoError::OtherFamily { .. })));
    call.announce(stream, Side::Caller, caller.peer())
        .await
        .unwrap();
    call.announce(stream, Side::Callee, callee.peer())
        .await
        .unwrap();
    caller.talks_to(to_caller, &callee, to_callee).await;
    callee.talks_to(to_callee, &caller, to_caller).await;
    let third = LegRequest {
        interface: 2,
        ..SHARED
    };
    let none = call.add_stream([SHARED, third]).await;
    assert!(matches!(
        none,
        Err(RelayIoError::NoSuchInterface { interface: 2 })
    ));
}

#[tokio::test]
async fn a_description_that_names_the_relay_itself_is_refused() {
    let talk = Conversation::with([OWN, SHARED]).await;
    for media in talk.media {
        let ours = Peer::at(media.rtp, 8_000);
        let refused = talk.call.announce(0, Side::Caller, ours).await;
        assert!(matches!(refused, Err(RelayIoError::Ourselves { .. })));
        let rtcp_is_ours = Peer::at(SocketAddr::new(own_loopback(), media.rtp.port() - 1), 8_000);
        let refused = talk.call.announce(0, Side::Caller, rtcp_is_ours).await;
        assert!(matches!(refused, Err(RelayIoError::Ourselves { .. })));
    }
}
