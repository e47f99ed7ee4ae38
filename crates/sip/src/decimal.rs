//! Numbers as text, written straight where they belong.

use std::net::Ipv4Addr;

/// Room for the digits of any number.
pub(crate) type Digits = [u8; 20];

/// A number in decimal.
pub(crate) fn decimal(number: u64, digits: &mut Digits) -> &[u8] {
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b"0123456789"[(rest % 10) as usize];
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    &digits[at..]
}

/// Adds a number to the end of `text`, in decimal, as a parameter such as `expires` has it: mostly a short one, which needs no room of its own.
pub fn push_decimal(number: u64, text: &mut String) {
    if number >= 10 {
        push_decimal(number / 10, text);
    }
    text.push(char::from(b"0123456789"[(number % 10) as usize]));
}

/// Adds an address.
pub(crate) fn push_ipv4(address: Ipv4Addr, text: &mut String) {
    for (index, octet) in address.octets().into_iter().enumerate() {
        if index > 0 {
            text.push('.');
        }
        push_decimal(octet.into(), text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_are_those_of_the_standard_library() {
        for number in [0, 1, 9, 10, 255, 65_535, 4_294_967_296, u64::MAX] {
            let mut text = String::new();
            push_decimal(number, &mut text);
            assert_eq!(text, number.to_string());
            assert_eq!(decimal(number, &mut Digits::default()), text.as_bytes());
        }
        for address in [
            Ipv4Addr::LOCALHOST,
            Ipv4Addr::BROADCAST,
            Ipv4Addr::new(10, 0, 200, 3),
        ] {
            let mut text = String::new();
            push_ipv4(address, &mut text);
            assert_eq!(text, address.to_string());
        }
    }
}
