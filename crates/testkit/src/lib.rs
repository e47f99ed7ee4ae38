//! What tests of several crates share: a simulated network, ladders, databases.
//!
//! | module | owns |
//! |---|---|
//! | [`sim_net`] | datagrams in simulated time, with loss, delay and reordering from a seed |
//! | [`ladder`] | exchanges as text, compared with a drawing |
//! | [`postgres`] | a throw-away PostgreSQL for one test process |
//!
//! Nothing here is part of a product.

pub mod ladder;
pub mod postgres;
pub mod sim_net;
