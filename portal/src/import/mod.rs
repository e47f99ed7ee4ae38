//! Contacts in files: what a file is ([`file`]), which column fills what ([`columns`]), where numbers are that do not say it ([`national`]),
//! what a row would do ([`plan`]), doing it ([`run`]), and the other way ([`export`]). The decisions are in
//! `docs/decisions/0049-import-of-contacts.md`.

pub(crate) mod columns;
pub(crate) mod export;
pub(crate) mod file;
pub(crate) mod national;
pub(crate) mod plan;
pub(crate) mod read;
pub(crate) mod run;
