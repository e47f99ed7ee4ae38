//! The softphone: activated from a portal, driven from the command line.
//!
//! ```text
//!  softphone activate ──► portal/ ──► profile/        identity and secrets on disk
//!  softphone run ───────► engine/ ─┬─ sip-io ── softphone-core   signalling
//!                                  ├─ media-io, audio/           sound
//!                                  ├─ portal/                    configuration, revocation
//!                                  └─ control/ ◄── softphone call, answer, status, …
//! ```
//!
//! Reading order: `cli/` is what may be typed, `commands/` what then happens, `engine/` the
//! running phone. [`failure`] is the table of exit codes that scripts rely on. What a phone decides
//! is in `softphone-core`, which knows nothing of sockets, files and sound.
//!
//! Secrets: passwords and the device's key are on disk only under a seal whose key is in the
//! system's key store, or where there is none in a file of its own ([`profile`]). They are never
//! arguments, never in the environment, and print as `***`.

pub mod audio;
pub mod cli;
mod commands;
pub mod control;
mod engine;
pub mod failure;
pub mod portal;
pub mod profile;
pub mod terminal;

pub use commands::execute;
