//! Which phone plays which conversation, at whose registrar, over which transport.

use tests::{Trust, until};

use crate::conversation::{
    it_calls_us, it_registers, nobody_answers, they_call_each_other, we_call_each_other,
    we_call_it, we_secure_our_calls,
};
use crate::peer::{Baresip, Carrier, Encryption, Linphonec, Peer as _};
use crate::stage::{OURS, Registrar, Stage, THEIRS};

macro_rules! conversations {
    ($phone:ty, $registrar:ident: $($carrier:ident $module:ident),*) => {$(
        mod $module {
            use super::*;

            #[tokio::test]
            async fn it_calls_us_holds_and_hangs_up() {
                it_calls_us::<$phone>(&Stage::new(Registrar::$registrar, Carrier::$carrier).await).await;
            }

            #[tokio::test]
            async fn we_call_it_hold_and_hang_up() {
                we_call_it::<$phone>(&Stage::new(Registrar::$registrar, Carrier::$carrier).await).await;
            }

            #[tokio::test]
            async fn calls_that_nobody_answers_leave_nothing() {
                nobody_answers::<$phone>(&Stage::new(Registrar::$registrar, Carrier::$carrier).await).await;
            }
        }
    )*};
}

conversations!(Baresip, Tandem: Udp baresip_over_udp, Tcp baresip_over_tcp, Tls baresip_over_tls);
conversations!(Linphonec, Tandem: Udp linphonec_over_udp, Tcp linphonec_over_tcp, Tls linphonec_over_tls);
conversations!(Baresip, TandemBehindKamailio: Tcp baresip_behind_kamailio_over_tcp);
conversations!(Linphonec, TandemBehindKamailio: Udp linphonec_behind_kamailio_over_udp, Tls linphonec_behind_kamailio_over_tls);
conversations!(Baresip, Kamailio: Udp baresip_at_kamailio_over_udp, Tls baresip_at_kamailio_over_tls);
conversations!(Linphonec, Kamailio: Tcp linphonec_at_kamailio_over_tcp, Tls linphonec_at_kamailio_over_tls);

macro_rules! secured_conversations {
    ($phone:ty: $($carrier:ident $encryption:ident $module:ident),*) => {$(
        mod $module {
            use super::*;

            #[tokio::test]
            async fn it_calls_us_holds_and_hangs_up() {
                it_calls_us::<$phone>(&Stage::secured(Carrier::$carrier, Encryption::$encryption).await).await;
            }

            #[tokio::test]
            async fn we_call_it_hold_and_hang_up() {
                we_call_it::<$phone>(&Stage::secured(Carrier::$carrier, Encryption::$encryption).await).await;
            }
        }
    )*};
}

secured_conversations!(Baresip: Udp Sdes baresip_with_srtp, Tls SdesOnly baresip_with_srtp_only_over_tls);
secured_conversations!(Linphonec: Udp Sdes linphonec_with_srtp, Tls SdesOnly linphonec_with_srtp_only_over_tls);

#[tokio::test]
async fn our_phones_secure_their_calls_by_a_handshake() {
    we_secure_our_calls(&Stage::secured(Carrier::Udp, Encryption::Dtls).await).await;
}

#[tokio::test]
async fn our_phones_secure_their_calls_by_keys_over_tls() {
    we_secure_our_calls(&Stage::secured(Carrier::Tls, Encryption::SdesOnly).await).await;
}

#[tokio::test]
async fn baresip_registers_with_the_right_password_only() {
    it_registers::<Baresip>(&Stage::new(Registrar::Tandem, Carrier::Udp).await).await;
}

#[tokio::test]
async fn linphonec_registers_with_the_right_password_only() {
    it_registers::<Linphonec>(&Stage::new(Registrar::Tandem, Carrier::Tcp).await).await;
}

#[tokio::test]
async fn linphonec_registers_over_tls_with_the_right_password_only() {
    it_registers::<Linphonec>(&Stage::new(Registrar::Tandem, Carrier::Tls).await).await;
}

#[tokio::test]
async fn linphonec_does_not_believe_a_server_of_an_authority_it_does_not_know() {
    let stage = Stage::new(Registrar::Tandem, Carrier::Tls).await;
    let other = Trust::new(&[]);
    let mut identity = stage.identity(THEIRS).await;
    identity.authority = Some(other.authority.clone());
    let peer = Linphonec::start(identity).await;
    until("linphonec gives up", async || peer.is_refused()).await;
    stage.server.bindings_are_kept(0).await;
}

#[tokio::test]
async fn our_phones_call_each_other_behind_kamailio() {
    we_call_each_other(&Stage::new(Registrar::TandemBehindKamailio, Carrier::Udp).await).await;
}

#[tokio::test]
async fn our_phones_call_each_other_behind_kamailio_over_tls() {
    we_call_each_other(&Stage::new(Registrar::TandemBehindKamailio, Carrier::Tls).await).await;
}

#[tokio::test]
async fn our_phones_call_each_other_after_kamailio_lost_its_connection_to_our_server() {
    let stage = Stage::new(Registrar::TandemBehindKamailio, Carrier::Tcp).await;
    let callee = stage.our_phone(OURS).await;
    stage.cut_edge_off().await;
    they_call_each_other(&stage.our_phone("1002").await, &callee).await;
}

#[tokio::test]
async fn our_phones_call_each_other_at_kamailio_over_tls() {
    we_call_each_other(&Stage::new(Registrar::Kamailio, Carrier::Tls).await).await;
}

#[tokio::test]
async fn our_phones_call_each_other_at_kamailio_over_udp() {
    we_call_each_other(&Stage::new(Registrar::Kamailio, Carrier::Udp).await).await;
}

#[tokio::test]
async fn our_phones_call_each_other_at_kamailio_over_tcp() {
    we_call_each_other(&Stage::new(Registrar::Kamailio, Carrier::Tcp).await).await;
}
