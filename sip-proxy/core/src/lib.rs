//! sip-proxy/core
