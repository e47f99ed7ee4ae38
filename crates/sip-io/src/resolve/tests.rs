//! Look-ups against a name server on loopback.

use std::net::IpAddr;

use sip::{ResolveId, Security};
use testkit::name_server::{NameServer, Zone};

use super::*;

const ALL: Abilities = Abilities {
    udp_v4: true,
    udp_v6: true,
    tls: true,
};

fn ip(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn resolver(server: &NameServer) -> Resolver {
    let servers = NameServers::At(vec![server.address()]);
    Resolver::new(Limits::default(), ALL, &servers)
}

fn request(host: &str, transport: Option<Transport>, security: Security) -> ResolveRequest {
    ResolveRequest {
        id: ResolveId(1),
        host: host.parse().unwrap(),
        port: None,
        transport,
        security,
    }
}

async fn find(resolver: &mut Resolver, request: &ResolveRequest) -> Result<String, ResolveError> {
    let found = resolver.begin(request).unwrap().await?;
    let targets = resolver.in_order(found);
    let text = |target: &Target| format!("{} {}", target.transport, target.peer);
    Ok(targets.iter().map(text).collect::<Vec<_>>().join(", "))
}

#[tokio::test]
async fn naptr_leads_to_srv_and_srv_to_addresses_in_the_domains_order() {
    let zone = Zone::default()
        .naptr("example.test", 20, "SIP+D2U", "_sip._udp.example.test")
        .naptr("example.test", 10, "SIPS+D2T", "_tls.example.test")
        .srv("_sip._udp.example.test", (10, 0, 5080), "b.example.test")
        .srv("_sip._udp.example.test", (5, 0, 5070), "a.example.test")
        .srv("_tls.example.test", (1, 0, 5061), "a.example.test")
        .address("a.example.test", ip(1))
        .address("a.example.test", "2001:db8::1".parse().unwrap())
        .address("b.example.test", ip(2));
    let server = NameServer::start(zone).unwrap();
    let mut resolver = resolver(&server);
    let any = request("example.test", None, Security::Any);
    assert_eq!(
        find(&mut resolver, &any).await.unwrap(),
        "TLS 192.0.2.1:5061, TLS [2001:db8::1]:5061, UDP 192.0.2.1:5070, \
         UDP [2001:db8::1]:5070, UDP 192.0.2.2:5080"
    );
    let sips = request("example.test", None, Security::Tls);
    assert_eq!(
        find(&mut resolver, &sips).await.unwrap(),
        "TLS 192.0.2.1:5061, TLS [2001:db8::1]:5061"
    );
}

#[tokio::test]
async fn without_naptr_the_services_are_tried_in_our_order() {
    let zone = Zone::default()
        .srv("_sip._tcp.example.test", (0, 0, 5062), "a.example.test")
        .srv("_sip._udp.example.test", (0, 0, 5063), "a.example.test")
        .address("a.example.test", ip(1));
    let server = NameServer::start(zone).unwrap();
    let any = request("example.test", None, Security::Any);
    assert_eq!(
        find(&mut resolver(&server), &any).await.unwrap(),
        "UDP 192.0.2.1:5063, TCP 192.0.2.1:5062"
    );
}

#[tokio::test]
async fn a_plain_host_is_found_and_asked_for_once_while_the_record_lives() {
    let server = NameServer::start(Zone::default().address("pbx.test", ip(7))).unwrap();
    let mut resolver = resolver(&server);
    let tls = request("pbx.test", Some(Transport::Tls), Security::Any);
    for _ in 0..3 {
        let found = find(&mut resolver, &tls).await.unwrap();
        assert_eq!(found, "TLS 192.0.2.7:5061");
    }
    assert_eq!(server.asked("A pbx.test"), 1);
}

#[tokio::test]
async fn the_answer_names_the_domain_that_was_asked_for() {
    let zone = Zone::default()
        .srv("_sips._tcp.example.test", (0, 0, 5061), "elsewhere.test")
        .address("elsewhere.test", ip(3));
    let server = NameServer::start(zone).unwrap();
    let mut resolver = resolver(&server);
    let sips = request("Example.test", None, Security::Tls);
    let found = resolver.begin(&sips).unwrap().await.unwrap();
    let domain = found[0].domain.unwrap();
    assert_eq!(resolver.domain(domain), Some("example.test"));
}

#[tokio::test]
async fn a_server_that_failed_comes_after_the_others() {
    let zone = Zone::default()
        .srv("_sip._udp.example.test", (0, 0, 5060), "a.example.test")
        .srv("_sip._udp.example.test", (1, 0, 5060), "b.example.test")
        .address("a.example.test", ip(1))
        .address("b.example.test", ip(2));
    let server = NameServer::start(zone).unwrap();
    let mut resolver = resolver(&server);
    let udp = request("example.test", Some(Transport::Udp), Security::Any);
    let expected = "UDP 192.0.2.1:5060, UDP 192.0.2.2:5060";
    assert_eq!(find(&mut resolver, &udp).await.unwrap(), expected);
    resolver.handle_unreachable(Transport::Udp, SocketAddr::new(ip(1), 5060));
    let expected = "UDP 192.0.2.2:5060, UDP 192.0.2.1:5060";
    assert_eq!(find(&mut resolver, &udp).await.unwrap(), expected);
}

#[tokio::test]
async fn a_router_that_drops_questions_for_services_does_not_hide_the_host() {
    let zone = Zone::default()
        .address("pbx.test", ip(7))
        .silent_for_services();
    let server = NameServer::start(zone).unwrap();
    let any = request("pbx.test", None, Security::Any);
    assert_eq!(
        find(&mut resolver(&server), &any).await.unwrap(),
        "UDP 192.0.2.7:5060"
    );
}

#[tokio::test]
async fn what_does_not_exist_and_who_does_not_answer_are_told_apart() {
    let server = NameServer::start(Zone::default()).unwrap();
    let udp = request("nobody.test", Some(Transport::Udp), Security::Any);
    let missing = find(&mut resolver(&server), &udp).await;
    assert_eq!(missing, Err(ResolveError::NotFound));

    // Bound, but nobody reads it.
    let mute = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let servers = NameServers::At(vec![mute.local_addr().unwrap()]);
    let mut resolver = Resolver::new(Limits::default(), ALL, &servers);
    let silent = find(&mut resolver, &udp).await;
    assert_eq!(silent, Err(ResolveError::Timeout));
}

#[tokio::test]
async fn more_look_ups_than_allowed_are_refused() {
    let mute = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let servers = NameServers::At(vec![mute.local_addr().unwrap()]);
    let limits = Limits {
        resolves: 1,
        ..Limits::default()
    };
    let mut resolver = Resolver::new(limits, ALL, &servers);
    let udp = request("pbx.test", Some(Transport::Udp), Security::Any);
    let first = resolver.begin(&udp);
    assert!(first.is_some());
    assert!(resolver.begin(&udp).is_none());
}
