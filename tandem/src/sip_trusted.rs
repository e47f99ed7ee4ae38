//! `sip.trusted_networks` as the proxy wants it.

use std::net::IpAddr;

use ipnet::IpNet;
use sip_proxy::TrustedNetworks;

use crate::config::ConfigError;

/// The networks that `named` names.
///
/// # Errors
///
/// If one is neither a network nor an address, or is everything.
pub(crate) fn trusted_networks(named: &[String]) -> Result<TrustedNetworks, ConfigError> {
    named.iter().map(|named| network(named)).collect()
}

fn network(named: &str) -> Result<IpNet, ConfigError> {
    let address = || named.parse::<IpAddr>().map(IpNet::from);
    match named.parse::<IpNet>().or_else(|_| address()) {
        Ok(network) if network.prefix_len() > 0 => Ok(network),
        Ok(_) => Err(ConfigError::TrustsEverybody {
            network: named.to_owned(),
        }),
        Err(_) => Err(ConfigError::TrustedNetwork {
            named: named.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(named: &str) -> Result<(), String> {
        let judged = trusted_networks(&[named.to_owned()]);
        judged.map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn networks_and_addresses_are_understood() {
        for named in ["192.0.2.0/28", "192.0.2.7", "2001:db8::/64", "2001:db8::1"] {
            assert_eq!(judged(named), Ok(()));
        }
    }

    #[test]
    fn what_is_no_network_or_everything_is_refused_by_name() {
        for named in ["192.0.2.0/33", "edge.example.com", "", "0.0.0.0/0", "::/0"] {
            let error = judged(named).unwrap_err();
            assert!(
                error.starts_with("sip.trusted_networks") && error.contains(&format!("{named:?}")),
                "{error}"
            );
        }
    }
}
