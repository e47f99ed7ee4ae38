//! What the softphone decides.

mod text;

pub use text::plain_text;
