//! The part of the configuration about TLS and WebSockets.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sip_proxy::{CertificateFiles, MoreListeners, Origins};

use crate::config::ConfigError;

/// SIP over TLS.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TlsConfig {
    /// Where to listen for TLS; usually port 5061.
    pub(crate) listen: Vec<SocketAddr>,
    /// File with the server's certificate, followed by those between it and its authority (PEM).
    pub(crate) certificate: Option<PathBuf>,
    /// File with the certificate's private key (PEM).
    pub(crate) key: Option<PathBuf>,
}

/// SIP over WebSockets.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WebSocketConfig {
    /// Where to listen in clear: for tests, or behind something that does TLS.
    pub(crate) listen: Vec<SocketAddr>,
    /// Where to listen for secure WebSockets, with the certificate of `sip.tls`.
    pub(crate) listen_secure: Vec<SocketAddr>,
    /// Pages that may connect, as in `https://phone.example.com`; none means any.
    pub(crate) origins: Vec<String>,
}

/// Both together as the proxy wants them.
pub(crate) fn more_listeners(
    also: &[SocketAddr],
    tls: &TlsConfig,
    websocket: &WebSocketConfig,
) -> Result<MoreListeners, ConfigError> {
    let certificate = match (&tls.certificate, &tls.key) {
        (Some(chain), Some(key)) => Some(CertificateFiles {
            chain: chain.clone(),
            key: key.clone(),
        }),
        (None, None) => None,
        _ => return Err(ConfigError::HalfCertificate),
    };
    let needed = !(tls.listen.is_empty() && websocket.listen_secure.is_empty());
    if needed && certificate.is_none() {
        return Err(ConfigError::NoCertificate);
    }
    Ok(MoreListeners {
        also: also.to_vec(),
        certificate,
        tls: tls.listen.clone(),
        ws: websocket.listen.clone(),
        wss: websocket.listen_secure.clone(),
        origins: match websocket.origins.as_slice() {
            [] => Origins::Any,
            origins => Origins::Only(origins.into()),
        },
    })
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    use super::*;

    fn listeners(text: &str) -> Result<MoreListeners, ConfigError> {
        let config: Config = toml::from_str(text).unwrap();
        more_listeners(
            &config.sip.also_listen,
            &config.sip.tls,
            &config.sip.websocket,
        )
    }

    #[test]
    fn every_listener_can_be_named() {
        let more = listeners(
            "[sip]\nalso_listen = ['[::1]:5060']\n\
             [sip.tls]\nlisten = ['127.0.0.1:5061', '[::1]:5061']\n\
             certificate = 'server.crt'\nkey = 'server.key'\n\
             [sip.websocket]\nlisten = ['127.0.0.1:5080']\n\
             listen_secure = ['127.0.0.1:5443']\norigins = ['https://phone.example']",
        )
        .unwrap();
        assert_eq!(more.also.len(), 1);
        assert_eq!(more.tls.len(), 2);
        assert_eq!((more.ws.len(), more.wss.len()), (1, 1));
        assert!(matches!(more.origins, Origins::Only(_)));
    }

    #[test]
    fn tls_without_certificate_or_with_half_of_one_is_refused() {
        let without = listeners("[sip.tls]\nlisten = ['127.0.0.1:5061']");
        assert!(matches!(without, Err(ConfigError::NoCertificate)));
        let secure = listeners("[sip.websocket]\nlisten_secure = ['127.0.0.1:5443']");
        assert!(matches!(secure, Err(ConfigError::NoCertificate)));
        let half = listeners("[sip.tls]\ncertificate = 'server.crt'");
        assert!(matches!(half, Err(ConfigError::HalfCertificate)));
        assert!(listeners("").is_ok());
    }
}
