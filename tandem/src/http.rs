//! `http`: where the portal listens, and what stands before it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use portal::TrustedProxies;
use serde::{Deserialize, Serialize};
use sip_proxy::CertificateFiles;

use crate::config::ConfigError;

/// The portal's address.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HttpConfig {
    /// Where the portal listens.
    pub(crate) listen: SocketAddr,
    /// How people and devices reach it; the listening address unless it is set.
    pub(crate) public_url: Option<String>,
    /// File with the server's certificate, followed by those between it and its authority (PEM). With it the portal speaks HTTPS.
    pub(crate) certificate: Option<PathBuf>,
    /// File with the certificate's private key (PEM).
    pub(crate) key: Option<PathBuf>,
    /// Addresses where whoever comes without TLS is sent to `public_url`.
    pub(crate) redirect_listen: Vec<SocketAddr>,
    /// Addresses and networks of reverse proxies, whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<String>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 8080).into(),
            public_url: None,
            certificate: None,
            key: None,
            redirect_listen: Vec::new(),
            trusted_proxies: Vec::new(),
        }
    }
}

impl HttpConfig {
    /// The files of the certificate, if the portal is to speak HTTPS.
    pub(crate) fn certificate(&self) -> Result<Option<CertificateFiles>, ConfigError> {
        match (&self.certificate, &self.key) {
            (Some(chain), Some(key)) => Ok(Some(CertificateFiles {
                chain: chain.clone(),
                key: key.clone(),
            })),
            (None, None) => Ok(None),
            _ => Err(ConfigError::HalfHttpCertificate),
        }
    }

    /// How people reach a portal that listens at `bound`.
    pub(crate) fn public_url(&self, bound: SocketAddr) -> String {
        let scheme = if self.certificate.is_some() {
            "https"
        } else {
            "http"
        };
        match &self.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("{scheme}://{bound}"),
        }
    }

    pub(crate) fn trusted_proxies(&self) -> Result<TrustedProxies, ConfigError> {
        let network = |named: &String| {
            let address = || named.parse::<IpAddr>().map(IpNet::from);
            named
                .parse::<IpNet>()
                .or_else(|_| address())
                .map_err(|_| ConfigError::TrustedProxy {
                    named: named.clone(),
                })
        };
        self.trusted_proxies.iter().map(network).collect()
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.certificate()?;
        self.trusted_proxies()?;
        let Some(url) = self.public_url.as_deref() else {
            return match self.redirect_listen.is_empty() {
                true => Ok(()),
                false => Err(ConfigError::RedirectWhere),
            };
        };
        let wrong = || ConfigError::PublicUrl {
            url: url.to_owned(),
        };
        let host = host_of(url).ok_or_else(wrong)?;
        if host.is_empty() {
            return Err(wrong());
        }
        if !self.redirect_listen.is_empty() && !url.starts_with("https://") {
            return Err(ConfigError::RedirectWhere);
        }
        Ok(())
    }
}

/// The host of a URL that is nothing but scheme, host and port.
pub(crate) fn host_of(url: &str) -> Option<&str> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?
        .trim_end_matches('/');
    if rest.contains(['/', '?', '#', '@']) || rest.contains(char::is_whitespace) {
        return None;
    }
    if let Some(literal) = rest.strip_prefix('[') {
        return literal.split_once(']').map(|(address, _)| address);
    }
    Some(rest.split_once(':').map_or(rest, |(host, _)| host))
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    use super::*;

    fn judged(text: &str) -> Result<(), String> {
        let config: Config = toml::from_str(&format!("[http]\n{text}")).unwrap();
        config.http.check().map_err(|error| error.to_string())
    }

    #[test]
    fn a_public_url_is_scheme_host_and_port() {
        for (url, host) in [
            ("https://phones.example.com", "phones.example.com"),
            ("http://192.0.2.1:8080/", "192.0.2.1"),
            ("https://[2001:db8::1]:8443", "2001:db8::1"),
        ] {
            assert_eq!(host_of(url), Some(host));
            assert_eq!(judged(&format!("public_url = '{url}'")), Ok(()));
        }
        for wrong in [
            "ftp://x",
            "phones.example.com",
            "https://x/portal",
            "https://a@x",
            "https://",
            "https://x y",
        ] {
            let error = judged(&format!("public_url = '{wrong}'")).unwrap_err();
            assert!(error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn a_redirection_needs_somewhere_to_go() {
        let listen = "redirect_listen = ['0.0.0.0:80']";
        assert!(judged(listen).is_err());
        assert!(judged(&format!("{listen}\npublic_url = 'http://x'")).is_err());
        assert_eq!(
            judged(&format!("{listen}\npublic_url = 'https://x'")),
            Ok(())
        );
    }

    #[test]
    fn proxies_are_addresses_or_networks() {
        let config = |named: &str| HttpConfig {
            trusted_proxies: vec![named.to_owned()],
            ..HttpConfig::default()
        };
        let proxies = config("10.1.0.0/16").trusted_proxies().unwrap();
        assert!(proxies.contains(&"10.1.2.3".parse().unwrap()));
        assert!(!proxies.contains(&"10.2.0.1".parse().unwrap()));
        let proxies = config("::1").trusted_proxies().unwrap();
        assert!(proxies.contains(&"::1".parse().unwrap()));
        let error = config("proxy.example").trusted_proxies().unwrap_err();
        assert!(error.to_string().contains("proxy.example"), "{error}");
    }

    #[test]
    fn certificate_and_key_belong_together() {
        assert!(judged("certificate = 'a.crt'").is_err());
        assert_eq!(judged("certificate = 'a.crt'\nkey = 'a.key'"), Ok(()));
    }
}
