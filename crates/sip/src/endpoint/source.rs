//! Writes into a request where it really came from (RFC 3261, section 18.2.1; RFC 3581).
