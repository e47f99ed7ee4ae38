//! Checks of what people type: each wrong field gets its own sentence, all at once.
//!
//! A check returns the cleaned value, so that a handler cannot use one that was not checked. After the
//! checks [`Fields::finish`] answers whether all were well.

use std::{collections::HashSet, hash::Hash, net::IpAddr, str::FromStr};

use api::FieldError;
use store::{ByName, MAX_PAGE, PageRequest, Sort, SortColumn, UnknownWord, Word};
use uuid::Uuid;

use crate::{error::ApiError, import::national::with_country_code, proof::MAX_PASSWORD_BYTES};

/// Collects what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<FieldError>);

impl Fields {
    /// All fields were well, or the answer that names the wrong ones.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ApiError::Invalid(self.0))
        }
    }

    /// All that is wrong.
    pub(crate) fn into_errors(self) -> Vec<FieldError> {
        self.0
    }

    /// What is wrong first.
    pub(crate) fn first(self) -> Option<FieldError> {
        self.0.into_iter().next()
    }

    pub(crate) fn wrong(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError {
            field: field.to_owned(),
            message: message.into(),
        });
    }

    /// Text of 1 to `max` characters on one line.
    pub(crate) fn text(&mut self, field: &str, value: &str, max: usize) -> String {
        let value = value.trim();
        if value.is_empty() {
            self.wrong(field, "Please fill in this field.");
        } else if value.chars().count() > max {
            self.wrong(field, format!("Please use at most {max} characters."));
        } else if value.chars().any(is_unprintable) {
            self.wrong(field, "Please remove control characters.");
        }
        value.to_owned()
    }

    /// Text that may be missing; empty is missing.
    pub(crate) fn optional_text(
        &mut self,
        field: &str,
        value: Option<&str>,
        max: usize,
    ) -> Option<String> {
        let value = value.map(str::trim).filter(|value| !value.is_empty())?;
        Some(self.text(field, value, max))
    }

    /// What a list is searched for; nothing but blanks is nothing.
    pub(crate) fn search(&mut self, field: &str, value: Option<&str>) -> Option<String> {
        self.optional_text(field, value, 200)
    }

    /// E-mail address: one `@`, a host behind it.
    pub(crate) fn email(&mut self, field: &str, value: &str) -> String {
        let value = self.text(field, value, 254);
        let well_formed = value.rsplit_once('@').is_some_and(|(local, host)| {
            (1..=64).contains(&local.len())
                && !local.contains(['@', ' ', '"', '<', '>', ',', ';', ':', '\\'])
                && is_host_name(host)
        });
        if !value.is_empty() && !well_formed {
            self.wrong(
                field,
                "Please enter an e-mail address, such as name@example.com.",
            );
        }
        value
    }

    /// Telephone number in E.164; spaces, dashes, dots and brackets are taken out, and what is dialled at home only: `+49 (0)30 …`.
    pub(crate) fn e164(&mut self, field: &str, value: &str) -> String {
        let number = with_country_code(value, None).unwrap_or_else(|_| value.to_owned());
        // Without the brackets it would be a part of the number.
        let says_too_much = number.contains("(0)");
        let number: String = number
            .chars()
            .filter(|symbol| !separates_digits(*symbol))
            .collect();
        let well_formed = !says_too_much
            && number.strip_prefix('+').is_some_and(|digits| {
                (7..=15).contains(&digits.len())
                    && digits.bytes().all(|digit| digit.is_ascii_digit())
                    && !digits.starts_with('0')
            });
        if !well_formed {
            self.wrong(
                field,
                "Please enter the number with + and the country code, such as +493012345678.",
            );
        }
        number
    }

    /// A country's code of ISO 3166-1 alpha-2.
    pub(crate) fn country(&mut self, field: &str, value: &str) -> String {
        if value.len() != 2 || !COUNTRIES.split(' ').any(|code| code == value) {
            self.wrong(field, "Please choose a country.");
        }
        value.to_owned()
    }

    /// Host name or IP address, in lower case.
    pub(crate) fn host(&mut self, field: &str, value: &str) -> String {
        let value = self.text(field, value, 253).to_ascii_lowercase();
        if !value.is_empty() && !is_host(&value) {
            self.wrong(
                field,
                "Please enter a host name or an IP address, such as sip.example.com.",
            );
        }
        value
    }

    /// Domain of e-mail addresses, in lower case. What is wrong names it, since it is one of several in a field.
    pub(crate) fn domain(&mut self, field: &str, value: &str) -> String {
        let domain = value
            .trim()
            .trim_start_matches('@')
            .trim_end_matches('.')
            .to_ascii_lowercase();
        if !is_host_name(&domain) || !domain.contains('.') {
            self.wrong(
                field,
                format!("Please enter a domain, such as example.com, in place of {domain:.60?}."),
            );
        }
        domain
    }

    /// A port a server can have.
    pub(crate) fn port(&mut self, field: &str, value: Option<u16>) -> Option<u16> {
        if value == Some(0) {
            self.wrong(field, "Please enter a port from 1 to 65535.");
        }
        value
    }

    /// `host`, `host:port` or a SIP URI of these with parameters.
    pub(crate) fn outbound_proxy(&mut self, field: &str, value: Option<&str>) -> Option<String> {
        let value = self.optional_text(field, value, 255)?;
        let address = value
            .strip_prefix("sip:")
            .or_else(|| value.strip_prefix("sips:"))
            .unwrap_or(&value);
        let (host_port, parameters) = address.split_once(';').unwrap_or((address, ""));
        let plain = |symbol: char| symbol.is_ascii_alphanumeric() || "-._~=;".contains(symbol);
        if !is_host_port(host_port) || !parameters.chars().all(plain) {
            self.wrong(
                field,
                "Please enter a host name, such as proxy.example.com:5060.",
            );
        }
        Some(value)
    }

    /// Up to 20 signs that a number can have; it may be empty.
    pub(crate) fn dialed(&mut self, field: &str, value: &str) -> String {
        let value = value.trim();
        let known = |sign: char| sign.is_ascii_digit() || "*#+".contains(sign);
        if !value.chars().all(known) {
            self.wrong(field, "Please use digits, *, # and + only.");
        } else if value.len() > 20 {
            self.wrong(field, "Please use at most 20 characters.");
        }
        value.to_owned()
    }

    /// The user part of a SIP address.
    pub(crate) fn sip_username(&mut self, field: &str, value: &str) -> String {
        let value = self.text(field, value, 64);
        let allowed =
            |symbol: char| symbol.is_ascii_alphanumeric() || "-_.!~*'()+&=$".contains(symbol);
        if !value.chars().all(allowed) {
            self.wrong(field, "Please use letters, digits and -_.!~*'()+&=$ only.");
        }
        value
    }

    /// The name for authentication, which a header carries in quotes.
    pub(crate) fn auth_username(&mut self, field: &str, value: Option<&str>) -> Option<String> {
        let value = self.optional_text(field, value, 128)?;
        if value.contains(['"', '\\']) {
            self.wrong(field, "Please leave out \" and \\.");
        }
        Some(value)
    }

    /// A password that a person chooses for the portal: kept to the letter.
    pub(crate) fn new_password(&mut self, field: &str, value: &str) {
        if value.chars().count() < MIN_PASSWORD {
            let message = format!("Please use at least {MIN_PASSWORD} characters.");
            self.wrong(field, message);
        } else if value.len() > MAX_PASSWORD_BYTES {
            self.wrong(field, "Please use a shorter password.");
        }
    }

    /// A SIP password: kept to the letter, spaces at the ends included.
    pub(crate) fn sip_password(&mut self, field: &str, value: Option<&str>) -> Option<String> {
        let value = value.filter(|value| !value.is_empty())?;
        if value.chars().count() > 128 || value.chars().any(is_unprintable) {
            self.wrong(field, "Please use at most 128 characters on one line.");
        }
        Some(value.to_owned())
    }

    /// The short name of a tenant: one label of a domain name.
    pub(crate) fn slug(&mut self, field: &str, value: &str) -> String {
        let value = value.trim();
        let allowed =
            |symbol: u8| symbol.is_ascii_lowercase() || symbol.is_ascii_digit() || symbol == b'-';
        if !value.bytes().all(allowed) || !is_label(value) || value.len() > 40 {
            self.wrong(
                field,
                "Please use lower-case letters, digits and hyphens, at most 40.",
            );
        }
        value.to_owned()
    }

    /// How many items a page has, 1 to [`MAX_PAGE`].
    pub(crate) fn limit(&mut self, value: Option<u32>) -> u32 {
        let limit = value.unwrap_or(PageRequest::<ByName>::default().limit);
        if !(1..=MAX_PAGE).contains(&limit) {
            self.wrong("limit", format!("Please ask for 1 to {MAX_PAGE} items."));
        }
        limit
    }

    /// Where a page begins, if the text is of a page before.
    pub(crate) fn after<C: FromStr>(&mut self, value: Option<&str>) -> Option<C> {
        let parsed = value?.parse().ok();
        if parsed.is_none() {
            self.wrong("after", "This is not the `next` of a list.");
        }
        parsed
    }

    /// An order of a list, or the usual one.
    pub(crate) fn sort<S: SortColumn>(&mut self, field: &str, value: Option<&str>) -> Sort<S> {
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            return S::USUAL;
        };
        value.parse().unwrap_or_else(|UnknownWord| {
            let known = words::<S>();
            self.wrong(
                field,
                format!("Please use one of {known}, with - before it for descending."),
            );
            S::USUAL
        })
    }

    /// Words of a closed set with commas between them; none leaves all in.
    pub(crate) fn words<W: Word>(&mut self, field: &str, value: Option<&str>) -> Vec<W> {
        let values = separated(value);
        let mut parsed = Vec::with_capacity(values.len().min(W::ALL.len()));
        for value in values {
            match value.parse() {
                Ok(word) => parsed.push(word),
                Err(UnknownWord) => {
                    let known = words::<W>();
                    self.wrong(field, format!("Please use one or more of {known}."));
                    return Vec::new();
                }
            }
        }
        parsed
    }

    /// `true` or `false`; both leave all in.
    pub(crate) fn flag(&mut self, field: &str, value: Option<&str>) -> Option<bool> {
        let (mut yes, mut no) = (false, false);
        for value in separated(value) {
            match value {
                "true" => yes = true,
                "false" => no = true,
                _ => self.wrong(field, "Please use true or false."),
            }
        }
        (yes != no).then_some(yes)
    }

    /// Up to 100 identifiers with commas between them.
    pub(crate) fn ids(&mut self, field: &str, value: Option<&str>) -> Vec<Uuid> {
        let values = separated(value);
        let ids: Option<Vec<_>> = values.iter().map(|value| value.parse().ok()).collect();
        match ids {
            Some(ids) if ids.len() <= MAX_CHOICES => ids,
            _ => {
                self.wrong(
                    field,
                    format!("Please use at most {MAX_CHOICES} identifiers."),
                );
                Vec::new()
            }
        }
    }

    /// Up to 100 short texts with commas between them.
    pub(crate) fn choices(&mut self, field: &str, value: Option<&str>) -> Vec<String> {
        let values = separated(value);
        if values.len() > MAX_CHOICES {
            self.wrong(field, format!("Please use at most {MAX_CHOICES} values."));
            return Vec::new();
        }
        let mut choices = Vec::with_capacity(values.len());
        for value in values {
            choices.push(self.text(field, value, 100));
        }
        choices
    }

    /// A list of `min` to `max` different values.
    pub(crate) fn list<T: Eq + Hash>(&mut self, field: &str, values: &[T], min: usize, max: usize) {
        if values.len() < min {
            self.wrong(field, format!("Please give at least {min}."));
        } else if values.len() > max {
            self.wrong(field, format!("Please give at most {max}."));
        } else if values.iter().collect::<HashSet<_>>().len() < values.len() {
            self.wrong(field, "Please give each only once.");
        }
    }
}

/// Values of one filter at most.
const MAX_CHOICES: usize = 100;

/// What stands between the commas.
fn separated(value: Option<&str>) -> Vec<&str> {
    let values = value.unwrap_or_default().split(',').map(str::trim);
    values.filter(|value| !value.is_empty()).collect()
}

/// All words of a set, for a person.
fn words<W: Word>() -> String {
    let words: Vec<_> = W::ALL.iter().map(|word| word.word()).collect();
    words.join(", ")
}

/// A short name made from a name: what is left of it in lower-case ASCII.
pub(crate) fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for symbol in name.chars().flat_map(char::to_lowercase) {
        match symbol {
            'a'..='z' | '0'..='9' => slug.push(symbol),
            'ä' => slug.push_str("ae"),
            'ö' => slug.push_str("oe"),
            'ü' => slug.push_str("ue"),
            'ß' => slug.push_str("ss"),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    slug.truncate(40);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "tenant".to_owned()
    } else {
        slug.to_owned()
    }
}

/// Control characters, and those that turn the direction of the text around them.
fn is_unprintable(symbol: char) -> bool {
    symbol.is_control()
        || matches!(symbol, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_host(value: &str) -> bool {
    let bare = value
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => value.parse::<IpAddr>().is_ok() || is_host_name(value),
    }
}

fn is_host_port(value: &str) -> bool {
    match value.rsplit_once(':') {
        Some((host, port)) if host.ends_with(']') || !host.contains(':') => {
            is_host(host) && port.parse::<u16>().is_ok_and(|port| port != 0)
        }
        _ => is_host(value),
    }
}

/// RFC 1123 section 2.1; a name of digits and dots only is a mistyped address.
fn is_host_name(value: &str) -> bool {
    let value = value.strip_suffix('.').unwrap_or(value);
    let last_is_number = value
        .rsplit('.')
        .next()
        .is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    value.len() <= 253 && !last_is_number && value.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// What stands between the digits of a number so that people can read it.
pub(crate) fn separates_digits(symbol: char) -> bool {
    matches!(symbol, ' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}')
}

const MIN_PASSWORD: usize = 12;
/// All codes of ISO 3166-1 alpha-2.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
     CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR \
     GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP \
     KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ \
     NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW \
     SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ \
     UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `check` has nothing to say about each value.
    fn judge(check: impl Fn(&mut Fields, &str), values: &[&str]) -> Vec<bool> {
        let is_well = |value: &&str| {
            let mut fields = Fields::default();
            check(&mut fields, value);
            fields.0.is_empty()
        };
        values.iter().map(is_well).collect()
    }

    #[track_caller]
    fn expect(check: impl Fn(&mut Fields, &str), well: &[&str], wrong: &[&str]) {
        assert_eq!(judge(&check, well), vec![true; well.len()], "{well:?}");
        assert_eq!(judge(&check, wrong), vec![false; wrong.len()], "{wrong:?}");
    }

    #[test]
    fn parts_of_numbers() {
        expect(
            |fields, value| drop(fields.dialed("starts_with", value)),
            &["", "017", "+49", "*31#", " 00 "],
            &["0 1", "a", "٣", "1>2", "012345678901234567890"],
        );
    }

    #[test]
    fn e_mail_addresses() {
        expect(
            |fields, value| drop(fields.email("email", value)),
            &[
                "a@b.de",
                "first.last+tag@mail.example.com",
                "admin@localhost",
            ],
            &[
                "",
                "a",
                "@b.de",
                "a@",
                "a b@c.de",
                "a@b@c.de",
                "a@-b.de",
                "a@b..de",
                "a@1.2.3.4",
            ],
        );
    }

    #[test]
    fn telephone_numbers() {
        expect(
            |fields, value| drop(fields.e164("number", value)),
            &["+493012345678", "+49 (30) 123-45.678", "+1 212 555 0100"],
            &[
                "",
                "03012345678",
                "+049301234",
                "+49",
                "+1234567890123456",
                "+49abc12345",
                "++4930123456",
                "+49 (0)1 2345",
            ],
        );
    }

    #[test]
    fn what_is_dialled_at_home_only_goes() {
        for written in ["+49 (0)30 1234567", "+49 30 1234567", "+4930/1234567"] {
            let number = Fields::default().e164("number", written);
            assert_eq!(number, "+49301234567");
        }
    }

    #[test]
    fn hosts_and_proxies() {
        expect(
            |fields, value| drop(fields.host("server", value)),
            &[
                "sip.example.com",
                "localhost",
                "192.0.2.1",
                "2001:db8::1",
                "[2001:db8::1]",
                "x.example.",
            ],
            &[
                "",
                "sip example",
                "sip_example.com",
                "192.0.2.999",
                "1.2.3",
                "sip:example.com",
                "a..b",
                "-a.de",
            ],
        );
        expect(
            |fields, value| drop(fields.outbound_proxy("outbound_proxy", Some(value))),
            &[
                "",
                "proxy.example.com",
                "proxy.example.com:5070",
                "sip:192.0.2.1:5060;lr",
                "[2001:db8::1]:5060",
                "sips:p.example;transport=tcp",
            ],
            &[
                "proxy:0",
                "proxy:99999",
                "sip:a@b:5060",
                "http://x",
                "p.example;<lr>",
                "p.example\r\nVia: x",
            ],
        );
    }

    #[test]
    fn sip_names_and_text() {
        expect(
            |fields, value| drop(fields.sip_username("username", value)),
            &["101", "alice", "+493012345678", "a.b-c_d"],
            &[
                "",
                "al ice",
                "alice@example.com",
                "a<b",
                "a\"b",
                "a\u{202e}b",
                "a;b",
            ],
        );
        expect(
            |fields, value| drop(fields.text("name", value, 5)),
            &["a", "äöüßé", "  abc  "],
            &["", "   ", "abcdef", "a\nb", "a\u{202e}b"],
        );
    }

    #[test]
    fn a_slug_is_one_label_of_a_domain_name() {
        expect(
            |fields, value| drop(fields.slug("slug", value)),
            &["a", "my-company", "4711"],
            &["", "My", "a b", "-a", "a-", "a.b", "ä"],
        );
        for (name, slug) in [
            ("My company", "my-company"),
            ("Müller & Söhne GmbH", "mueller-soehne-gmbh"),
            ("???", "tenant"),
            ("--A--", "a"),
        ] {
            assert_eq!(slug_of(name), slug);
        }
    }

    #[test]
    fn lists_have_bounds_and_no_duplicates() {
        let judge = |values: &[u8]| {
            let mut fields = Fields::default();
            fields.list("account_ids", values, 1, 4);
            fields.finish().is_ok()
        };
        assert!(judge(&[1]) && judge(&[1, 2, 3, 4]));
        assert!(!judge(&[]) && !judge(&[1, 2, 3, 4, 5]) && !judge(&[1, 1]));
    }
}
