//! What tests of several crates share: a simulated network, ladders, databases.
//!
//! | module | owns |
//! |---|---|
//! | [`sim_net`] | datagrams in simulated time, with loss, delay and reordering from a seed |
//! | [`ladder`] | exchanges as text, compared with a drawing |
//! | `certificates` | an authority of our own and certificates by it (feature) |
//! | [`own_loopback`] | an address for each test |
//! | `name_server` | a name server that answers from a table (feature) |
//! | [`postgres`] | a throw-away PostgreSQL for one test process |
//!
//! Nothing here is part of a product.

#[cfg(feature = "certificates")]
pub mod certificates;
pub mod ladder;
mod loopback;
#[cfg(feature = "name-server")]
pub mod name_server;
pub mod postgres;
pub mod sim_net;

pub use loopback::own_loopback;
