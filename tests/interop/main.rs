//! Other people's programs against the real server: baresip and sipp from Debian's packages.
//!
//! Each must be installed (`scripts/setup`); a peer that is missing is a failure, not a test left out.

mod baresip;
mod sipp;
