//! Calls and registrations between user agents in a simulated network, drawn as ladders.
//!
//! `world.rs` has the agents and the clock; each other file is one area. After every scenario all
//! tables must be empty and no deadline left ([`world::World::finish`]).

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod call;
mod change;
mod loss;
mod monkey;
mod refusal;
mod registration;
mod session_timer;
mod stage;
mod subscription;
mod torture;
mod world;
