//! Activation and the live channel against a small portal on loopback.

use std::path::Path;
use std::time::Duration;

use crate::stub::{self, CODE, MARKER, Seen, Stub, configuration};
use api::{DeviceReport, DeviceUpload, LineReport, LineState};
use softphone::portal::{
    ActivationError, ActivationRequest, DeviceIdentity, PortalAddress, PortalClient, PortalError,
    PortalEvent, activate, run_session,
};
use softphone::profile::{KeyPlaceChoice, ProfileFolder};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const FILE: KeyPlaceChoice = KeyPlaceChoice::File;

fn report(applied_version: u64) -> DeviceReport {
    DeviceReport {
        applied_version,
        app_version: "0".to_owned(),
        platform: "test".to_owned(),
        lines: vec![LineReport {
            account_id: Uuid::from_u128(2),
            state: LineState::Connecting,
            reason: None,
        }],
    }
}

struct Session {
    events: mpsc::Receiver<PortalEvent>,
    reports: watch::Sender<DeviceReport>,
    stop: CancellationToken,
}

impl Session {
    /// Activates in `folder` and connects.
    async fn start(stub: &Stub, folder: &Path) -> Self {
        let folder = ProfileFolder::new(folder);
        let request = ActivationRequest::from_link(&stub.link()).unwrap();
        activate(&request, FILE, &folder).await.unwrap();
        let profile = folder.load().unwrap();
        let address = PortalAddress::parse(&profile.portal).unwrap();
        let client = PortalClient::new(address).unwrap();
        let identity = DeviceIdentity {
            device_id: profile.device_id,
            device_key: profile.device_key,
            version: profile.configuration.version,
            directory: None,
        };
        let (reports, report_receiver) = watch::channel(report(1));
        let (sender, events) = mpsc::channel(16);
        let stop = CancellationToken::new();
        tokio::spawn(run_session(
            client,
            identity,
            report_receiver,
            sender,
            stop.clone(),
        ));
        Self {
            events,
            reports,
            stop,
        }
    }

    async fn next(&mut self) -> PortalEvent {
        timeout(Duration::from_secs(20), self.events.recv())
            .await
            .unwrap()
            .unwrap()
    }

    /// Skips what comes and goes by itself.
    async fn next_configuration(&mut self) -> u64 {
        loop {
            if let PortalEvent::Configuration(configuration) = self.next().await {
                return configuration.version;
            }
        }
    }
}

async fn applied(seen: &mut Seen, version: u64) -> DeviceReport {
    loop {
        let DeviceUpload::Report(report) = timeout(Duration::from_secs(20), seen.uploads.recv())
            .await
            .unwrap()
            .unwrap();
        if report.applied_version == version {
            return report;
        }
    }
}

#[tokio::test]
async fn a_link_or_a_code_makes_a_profile() {
    let parent = tempfile::tempdir().unwrap();
    for by_code in [false, true] {
        let (stub, _seen) = Stub::start(configuration(1, &[(2, "200")])).await;
        let folder = ProfileFolder::new(parent.path().join(format!("phone-{by_code}")));
        let request = match by_code {
            false => ActivationRequest::from_link(&stub.link()),
            true => ActivationRequest::from_code(CODE, &stub.address),
        };
        let activated = activate(&request.unwrap(), FILE, &folder).await.unwrap();
        assert_eq!(activated.configuration.tenant.name, "Example Ltd");
        let profile = folder.load().unwrap();
        assert_eq!(profile.configuration, configuration(1, &[(2, "200")]));
        assert_eq!(profile.portal, stub.address);
    }
}

#[tokio::test]
async fn wrong_and_used_activations_are_refused_alike_and_leave_nothing_behind() {
    let (stub, _seen) = Stub::start(configuration(1, &[])).await;
    let parent = tempfile::tempdir().unwrap();
    let first = ProfileFolder::new(parent.path().join("first"));
    let request = ActivationRequest::from_link(&stub.link()).unwrap();
    activate(&request, FILE, &first).await.unwrap();

    let second = ProfileFolder::new(parent.path().join("second"));
    let wrong = ActivationRequest::from_code("AAAA-AAAA-AAAA-AAAA", &stub.address).unwrap();
    let mut texts = Vec::new();
    for request in [request, wrong] {
        let error = activate(&request, FILE, &second).await.unwrap_err();
        assert!(matches!(
            error,
            ActivationError::Portal(PortalError::ActivationRefused)
        ));
        texts.push(error.to_string());
        assert!(!second.path().exists());
    }
    assert_eq!(texts[0], texts[1]);
    assert!(first.load().is_ok());
}

#[tokio::test]
async fn an_activation_whose_answer_is_lost_is_asked_for_again_with_the_same_key() {
    let (stub, _seen) = Stub::start(configuration(1, &[])).await;
    stub.lose_answers();
    let parent = tempfile::tempdir().unwrap();
    let folder = ProfileFolder::new(parent.path().join("phone"));
    let request = ActivationRequest::from_link(&stub.link()).unwrap();
    activate(&request, FILE, &folder).await.unwrap();
    assert_eq!(stub.requests(), ["POST /api/v1/device/activation"; 3]);
    assert_eq!(folder.load().unwrap().configuration, configuration(1, &[]));
}

#[tokio::test]
async fn a_portal_that_is_away_or_none_is_said_and_leaves_nothing_behind() {
    let parent = tempfile::tempdir().unwrap();
    let folder = ProfileFolder::new(parent.path().join("phone"));
    // A port that was free a moment ago refuses connections.
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let request = ActivationRequest::from_code(CODE, &format!("http://{gone}")).unwrap();
    let error = activate(&request, FILE, &folder).await.unwrap_err();
    assert!(
        matches!(
            error,
            ActivationError::Portal(PortalError::Unreachable { .. })
        ),
        "{error}"
    );

    let (stub, _seen) = Stub::start(configuration(1, &[])).await;
    let request = ActivationRequest::from_code(CODE, &format!("{}/wrong", stub.address)).unwrap();
    let error = activate(&request, FILE, &folder).await.unwrap_err();
    assert!(
        matches!(
            error,
            ActivationError::Portal(PortalError::NotAPortal { .. })
        ),
        "{error}"
    );
    assert!(!folder.path().exists());
}

#[tokio::test]
async fn a_failed_activation_keeps_the_one_that_was_there() {
    let (stub, _seen) = Stub::start(configuration(1, &[])).await;
    let parent = tempfile::tempdir().unwrap();
    let folder = ProfileFolder::new(parent.path().join("phone"));
    let request = ActivationRequest::from_link(&stub.link()).unwrap();
    activate(&request, FILE, &folder).await.unwrap();
    activate(&request, FILE, &folder).await.unwrap_err();
    assert_eq!(folder.load().unwrap().configuration, configuration(1, &[]));
}

#[tokio::test]
async fn a_changed_configuration_arrives_and_its_version_is_reported() {
    let (stub, mut seen) = Stub::start(configuration(1, &[(2, "200")])).await;
    let parent = tempfile::tempdir().unwrap();
    let mut session = Session::start(&stub, &parent.path().join("phone")).await;
    assert!(matches!(session.next().await, PortalEvent::Connected));
    assert_eq!(applied(&mut seen, 1).await, report(1));

    stub.configure(configuration(2, &[(2, "200"), (3, "201")]));
    assert_eq!(session.next_configuration().await, 2);
    session.reports.send_replace(report(2));
    assert_eq!(applied(&mut seen, 2).await, report(2));
    session.stop.cancel();
    assert!(session.events.recv().await.is_none());
}

#[tokio::test]
async fn a_broken_channel_is_opened_again_and_misses_nothing() {
    let (stub, mut seen) = Stub::start(configuration(1, &[])).await;
    let parent = tempfile::tempdir().unwrap();
    let mut session = Session::start(&stub, &parent.path().join("phone")).await;
    assert!(matches!(session.next().await, PortalEvent::Connected));
    seen.lives.recv().await.unwrap();
    stub.hang_up_live();
    assert!(matches!(
        session.next().await,
        PortalEvent::Disconnected { .. }
    ));
    stub.configure(configuration(7, &[]));
    assert_eq!(session.next_configuration().await, 7);
    assert!(matches!(session.next().await, PortalEvent::Connected));
}

#[tokio::test]
async fn a_revoked_device_hears_it_at_once_or_when_it_comes_back() {
    for silent in [false, true] {
        let (stub, _seen) = Stub::start(configuration(1, &[])).await;
        let parent = tempfile::tempdir().unwrap();
        let mut session = Session::start(&stub, &parent.path().join("phone")).await;
        assert!(matches!(session.next().await, PortalEvent::Connected));
        match silent {
            false => stub.revoke(),
            true => stub.revoke_in_silence(),
        }
        while !matches!(session.next().await, PortalEvent::Revoked) {}
        assert!(session.events.recv().await.is_none(), "nothing follows");
    }
}

#[tokio::test]
async fn no_request_line_carries_a_secret() {
    let (stub, mut seen) = Stub::start(configuration(1, &[(2, "200")])).await;
    let parent = tempfile::tempdir().unwrap();
    let mut session = Session::start(&stub, &parent.path().join("phone")).await;
    assert!(matches!(session.next().await, PortalEvent::Connected));
    applied(&mut seen, 1).await;
    let lines = stub.requests().join("\n");
    for secret in [stub::TOKEN, MARKER, "Bearer"] {
        assert!(!lines.contains(secret), "{lines}");
    }
}
