//! The order of services and servers: NAPTR by order and preference (RFC 3263, section 4.1), SRV by
//! priority and weight (RFC 2782). Pure: chance is an argument.

use sip::{Security, Transport};

use super::Abilities;

/// The fields of a NAPTR record that count here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Naptr {
    pub(super) order: u16,
    pub(super) preference: u16,
    pub(super) flags: String,
    pub(super) service: String,
    pub(super) regexp: String,
    /// Where the SRV records are.
    pub(super) replacement: String,
}

/// One SRV record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Srv {
    pub(super) priority: u16,
    pub(super) weight: u16,
    pub(super) port: u16,
    pub(super) target: String,
}

/// Name of the SRV records of `domain` for `transport`.
pub(super) fn srv_name(transport: Transport, domain: &str) -> String {
    let service = match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
        Transport::Ws => "_sip._ws",
        Transport::Wss => "_sips._ws",
    };
    format!("{service}.{domain}")
}

/// Transport of a NAPTR service field (RFC 3263, section 4.1; RFC 7118, section 10.2).
fn transport(service: &str) -> Option<Transport> {
    let known = [
        ("SIP+D2U", Transport::Udp),
        ("SIP+D2T", Transport::Tcp),
        ("SIPS+D2T", Transport::Tls),
        ("SIP+D2W", Transport::Ws),
        ("SIPS+D2W", Transport::Wss),
    ];
    known
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(service))
        .map(|(_, transport)| transport)
}

/// The services of a domain that we can use, in the domain's own order: transport and where its SRV
/// records are.
pub(super) fn services(
    mut records: Vec<Naptr>,
    security: Security,
    abilities: Abilities,
) -> Vec<(Transport, String)> {
    records.sort_by_key(|record| (record.order, record.preference));
    records
        .into_iter()
        .filter(|record| record.flags.eq_ignore_ascii_case("s") && record.regexp.is_empty())
        .filter_map(|record| Some((transport(&record.service)?, record.replacement)))
        .filter(|(transport, _)| abilities.can(*transport))
        .filter(|(transport, _)| security == Security::Any || transport.is_secure())
        .collect()
}

/// `records` in the order in which they are to be tried: lower priority first, and among equals a
/// lot by weight. `draw` gives a number from 0 to its argument, both included.
///
/// A target that is the root says that there is no such service; it is left out.
pub(super) fn in_order(mut records: Vec<Srv>, mut draw: impl FnMut(u32) -> u32) -> Vec<Srv> {
    records.retain(|record| !record.target.trim_end_matches('.').is_empty());
    // Within a priority those without weight come first, so that they too have a small chance.
    records.sort_by_key(|record| (record.priority, record.weight != 0));
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(priority) = records.first().map(|record| record.priority) {
        let equals = records.partition_point(|record| record.priority == priority);
        let sum = records[..equals].iter().map(|r| u32::from(r.weight)).sum();
        let drawn = draw(sum).min(sum);
        let mut running = 0;
        let chosen = records[..equals].iter().position(|record| {
            running += u32::from(record.weight);
            running >= drawn
        });
        ordered.push(records.remove(chosen.unwrap_or(0)));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn srv(priority: u16, weight: u16, target: &str) -> Srv {
        Srv {
            priority,
            weight,
            port: 5060,
            target: target.to_owned(),
        }
    }

    fn order(records: &[Srv], draws: &[u32]) -> String {
        let mut draws = draws.iter();
        let drawn = in_order(records.to_vec(), |_| *draws.next().unwrap());
        let names: Vec<_> = drawn.iter().map(|r| r.target.as_str()).collect();
        names.join(" ")
    }

    #[test]
    fn lower_priority_comes_first_whatever_the_weight() {
        let records = [srv(20, 100, "c"), srv(10, 0, "a"), srv(15, 65_535, "b")];
        assert_eq!(order(&records, &[0, 0, 0]), "a b c");
    }

    #[test]
    fn the_lot_falls_by_weight() {
        let records = [srv(1, 10, "a"), srv(1, 30, "b"), srv(1, 60, "c")];
        assert_eq!(order(&records, &[10, 0, 0]), "a b c");
        assert_eq!(order(&records, &[11, 0, 0]), "b a c");
        assert_eq!(order(&records, &[40, 11, 0]), "b c a");
        assert_eq!(order(&records, &[41, 0, 0]), "c a b");
        assert_eq!(order(&records, &[100, 40, 0]), "c b a");
    }

    #[test]
    fn a_server_without_weight_is_drawn_only_by_zero() {
        let records = [srv(1, 5, "heavy"), srv(1, 0, "light")];
        assert_eq!(order(&records, &[0, 0]), "light heavy");
        assert_eq!(order(&records, &[1, 0]), "heavy light");
    }

    #[test]
    fn three_of_four_calls_go_to_the_server_with_three_quarters_of_the_weight() {
        let records = vec![srv(1, 25, "a"), srv(1, 75, "b")];
        let first = |drawn: u32| in_order(records.clone(), |_| drawn)[0].target.clone();
        let to_b = (0..=100).filter(|&drawn| first(drawn) == "b").count();
        assert_eq!(to_b, 75);
    }

    #[test]
    fn the_root_as_target_means_no_such_service() {
        assert_eq!(order(&[srv(0, 0, ".")], &[]), "");
    }

    fn naptr(order: u16, preference: u16, service: &str) -> Naptr {
        Naptr {
            order,
            preference,
            flags: "s".to_owned(),
            service: service.to_owned(),
            regexp: String::new(),
            replacement: format!("{service}.example"),
        }
    }

    fn chosen(records: &[Naptr], security: Security, abilities: Abilities) -> Vec<Transport> {
        services(records.to_vec(), security, abilities)
            .into_iter()
            .map(|(transport, _)| transport)
            .collect()
    }

    #[test]
    fn the_domain_chooses_among_what_we_speak() {
        use Transport::{Tcp, Tls, Udp};
        let all = Abilities {
            udp_v4: true,
            udp_v6: false,
            tls: true,
        };
        let mut records = [
            naptr(100, 50, "SIP+D2T"),
            naptr(90, 50, "SIP+D2U"),
            naptr(50, 50, "sips+d2t"),
            naptr(10, 1, "SIP+D2S"),
            naptr(10, 2, "E2U+sip"),
            naptr(100, 40, "SIP+D2W"),
        ];
        assert_eq!(chosen(&records, Security::Any, all), [Tls, Udp, Tcp]);
        assert_eq!(chosen(&records, Security::Tls, all), [Tls]);
        let plain = Abilities { tls: false, ..all };
        assert_eq!(chosen(&records, Security::Any, plain), [Udp, Tcp]);
        assert_eq!(chosen(&records, Security::Tls, plain), []);
        // Only the final kind of record is understood, and no rewriting.
        records[2].flags = "u".to_owned();
        records[1].regexp = "!^.*$!sip:a@b!".to_owned();
        assert_eq!(chosen(&records, Security::Any, all), [Tcp]);
    }
}
