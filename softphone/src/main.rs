//! softphone
fn main() {}
