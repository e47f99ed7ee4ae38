//! QR codes of activation links, as SVG for the page and as PNG for everything else.

use std::io::Cursor;

use image::{ImageFormat, Luma};
use qrcode::{EcLevel, QrCode, render::svg};

/// The link does not fit, or the picture cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the link cannot be shown as a QR code")]
pub(crate) struct QrError;

/// Scalable; black on white whatever the page's colours are, or cameras fail.
pub(crate) fn svg(link: &str) -> Result<String, QrError> {
    Ok(code(link)?
        .render()
        .min_dimensions(240, 240)
        .dark_color(svg::Color("#000000"))
        .light_color(svg::Color("#ffffff"))
        .build())
}

/// Eight pixels per module and a quiet zone.
pub(crate) fn png(link: &str) -> Result<Vec<u8>, QrError> {
    let picture = code(link)?
        .render::<Luma<u8>>()
        .module_dimensions(8, 8)
        .build();
    let mut bytes = Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|_| QrError)?;
    Ok(bytes.into_inner())
}

fn code(link: &str) -> Result<QrCode, QrError> {
    QrCode::with_error_correction_level(link, EcLevel::M).map_err(|_| QrError)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://portal.example/activate#0123456789abcdefghijkl";

    #[test]
    fn the_png_can_be_read_back() {
        let picture = image::load_from_memory(&png(LINK).unwrap())
            .unwrap()
            .to_luma8();
        let mut picture = rqrr::PreparedImage::prepare(picture);
        let grids = picture.detect_grids();
        let (_, text) = grids[0].decode().unwrap();
        assert_eq!(text, LINK);
    }

    #[test]
    fn the_svg_has_no_script_and_a_white_ground() {
        let text = svg(LINK).unwrap();
        assert!(text.contains("<svg") && text.contains("#ffffff"), "{text}");
        assert!(!text.contains("script") && !text.contains(LINK));
    }

    #[test]
    fn a_link_that_does_not_fit_is_an_error() {
        assert_eq!(svg(&"x".repeat(5000)), Err(QrError));
    }
}
