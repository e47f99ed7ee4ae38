//! Digits as sound in the stream of speech (ITU-T Q.23 and Q.24): for peers that offer neither
//! telephone-events nor anything else.
//!
//! A digit is two sines at once, one of four low and one of four high frequencies.

mod receiver;
mod sender;
#[cfg(test)]
mod tests;

pub use receiver::ToneReceiver;
pub use sender::ToneSender;

use super::Digit;

/// The low group, one per row of the keypad (Q.23).
const ROWS_HZ: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
/// The high group, one per column.
const COLUMNS_HZ: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
/// The keys in their rows and columns.
const KEYPAD: [[char; 4]; 4] = [
    ['1', '2', '3', 'A'],
    ['4', '5', '6', 'B'],
    ['7', '8', '9', 'C'],
    ['*', '0', '#', 'D'],
];

/// The digit where a row and a column cross.
fn digit_at(row: usize, column: usize) -> Option<Digit> {
    Digit::from_char(*KEYPAD.get(row)?.get(column)?)
}

/// The two frequencies of a digit, low and high.
fn frequencies_hz(digit: Digit) -> (f64, f64) {
    let mut keys = KEYPAD.iter().flatten();
    let place = keys.position(|&key| key == digit.as_char()).unwrap_or(0);
    (ROWS_HZ[place / 4], COLUMNS_HZ[place % 4])
}
