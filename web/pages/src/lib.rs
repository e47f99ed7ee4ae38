//! web/pages
