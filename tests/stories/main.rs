//! Stories: what people do with Tandem, driven with the real programs over loopback.
//!
//! Each test has a server, phones and ports of its own. Programs are taken from the build folder, so build the
//! workspace first; `make test` does.

mod abuse;
mod activation;
mod addresses;
mod backup;
mod call_history;
mod check_config;
mod conference;
mod directory;
mod failures;
mod first_call;
mod floods;
mod hold;
mod https;
mod metrics;
mod provider_test;
mod recording;
mod restarts;
mod strangers;
mod tones;
mod transfer;
mod trusted;
