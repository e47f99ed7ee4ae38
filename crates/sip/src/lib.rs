//! SIP: messages, transactions, dialogs, digest.

mod aor;
mod header;
mod host;
mod message;
mod method;
mod name_addr;
mod params;
mod status;
mod transport;
mod uri;

mod dialog;
mod digest;
mod endpoint;
mod flow;
mod ids;
mod machine;
mod private;
mod transaction;
