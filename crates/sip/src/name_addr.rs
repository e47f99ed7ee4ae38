//! name_addr
