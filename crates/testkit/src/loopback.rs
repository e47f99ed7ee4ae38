//! An address on loopback for each test, so that ports of one test are nobody else's: not of tests beside it, nor of other programs.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr};
use std::process;
use std::sync::atomic::{AtomicU8, Ordering};

/// An address of 127.0.0.0/8, the same for all of a thread, and so of a test.
///
/// Every one of them is on Linux without being set up.
#[must_use]
pub fn own_loopback() -> IpAddr {
    thread_local!(static OWN: Cell<Ipv4Addr> = Cell::new(next()));
    OWN.get().into()
}

fn next() -> Ipv4Addr {
    static COUNT: AtomicU8 = AtomicU8::new(1);
    let [_, _, high, low] = process::id().to_be_bytes();
    // Neither 127.0.0.1, where everybody is, nor the last one, which means all.
    let own = COUNT.fetch_add(1, Ordering::Relaxed) % 250 + 1;
    Ipv4Addr::new(127, high | 0x80, low, own)
}
