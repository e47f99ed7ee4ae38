//! softphone/core
