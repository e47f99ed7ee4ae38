//! The built web pages, embedded.
//!
//! A debug build reads the files from disk when they are asked for, so pages built later are found; a
//! release build carries them. Without built pages every lookup answers `None` and [`is_built`] is
//! false: the caller then says how to build them.
//!
//! A file may have a compressed twin beside it (`index.js.br`, `index.js.gz`); [`find`] picks it when
//! the browser accepts it, so nothing is compressed per request.

use std::borrow::Cow;

use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[folder = "../apps/portal/dist"]
struct Portal;

/// A file to serve.
#[derive(Clone, Debug)]
pub struct PageFile {
    /// Content, compressed as `encoding` says.
    pub bytes: Cow<'static, [u8]>,
    /// Value for `Content-Type`.
    pub media_type: &'static str,
    /// Value for `Content-Encoding`.
    pub encoding: Option<&'static str>,
    /// Strong validator, without quotes.
    pub etag: String,
    /// The name contains a hash of the content: it may be kept for ever.
    pub immutable: bool,
}

/// Whether there are pages at all.
pub fn is_built() -> bool {
    Portal::get(INDEX).is_some()
}

/// The file at `path` (no leading slash), in a coding that `accept_encoding` allows.
pub fn find(path: &str, accept_encoding: &str) -> Option<PageFile> {
    let (file, encoding) =
        compressed(path, accept_encoding).or_else(|| Some((Portal::get(path)?, None)))?;
    Some(PageFile {
        media_type: media_type(path),
        encoding,
        etag: hex(&file.metadata.sha256_hash()[..16]),
        immutable: path.starts_with("assets/"),
        bytes: file.data,
    })
}

/// The page that every address of the application starts with.
pub fn index(accept_encoding: &str) -> Option<PageFile> {
    find(INDEX, accept_encoding)
}

const INDEX: &str = "index.html";

fn compressed(path: &str, accept_encoding: &str) -> Option<(EmbeddedFile, Option<&'static str>)> {
    [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(coding, _)| accepts(accept_encoding, coding))
        .find_map(|(coding, suffix)| {
            Some((Portal::get(&format!("{path}.{suffix}"))?, Some(coding)))
        })
}

/// RFC 9110 section 12.5.3, without weights other than zero.
fn accepts(accept_encoding: &str, coding: &str) -> bool {
    accept_encoding.split(',').any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let named = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(coding));
        named && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_with_weight_zero_is_not_accepted() {
        assert!(accepts("gzip, deflate, br", "br"));
        assert!(accepts("GZIP;q=0.5", "gzip"));
        assert!(!accepts("gzip, br;q=0", "br"));
        assert!(!accepts("", "br"));
        assert!(!accepts("brotli", "br"));
    }

    #[test]
    fn an_unknown_path_is_not_found() {
        assert!(find("no/such/file.js", "").is_none());
        assert!(find("../../package.json", "").is_none());
        assert!(find("", "").is_none());
    }

    #[test]
    fn pages_are_there_or_reported_as_not_built() {
        assert_eq!(index("").is_some(), is_built());
    }
}
