//! Guards: what the architecture promises, held against the tree on every test run.
//!
//! `docs/architecture.md` names the invariants I1 to I10; each test here says which one it guards.

mod dependencies;
mod documents;
mod licences;
mod sources;
