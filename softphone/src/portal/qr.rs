//! The activation link out of a picture: a QR code in a PNG or JPEG file.

use std::io::{BufReader, Cursor, Read};
use std::path::Path;

use image::{ImageReader, Limits};

/// A photograph of a screen is smaller.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Longest side that is decoded.
const MAX_SIDE_PIXELS: u32 = 8192;

/// What decoding may take, in memory.
const MAX_DECODED_BYTES: u64 = 256 * 1024 * 1024;

/// Codes looked at in one picture.
const MAX_CODES: usize = 16;

/// Why a picture has no link for us.
#[derive(Debug, thiserror::Error)]
pub enum QrError {
    /// The file cannot be read.
    #[error("the picture cannot be read: {0}")]
    File(#[from] std::io::Error),
    /// It is larger than we look at.
    #[error("the picture is too large")]
    TooLarge,
    /// It is neither PNG nor JPEG, or damaged.
    #[error("the file is not a PNG or JPEG picture, or it is damaged")]
    NotAPicture,
    /// No code was found in it.
    #[error("there is no readable QR code in the picture")]
    NoCode,
}

/// The text of the first QR code in the picture at `path`; an activation link wins over others.
///
/// # Errors
///
/// [`QrError`] says why there is none.
pub fn read_file(path: &Path) -> Result<String, QrError> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    BufReader::new(file)
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(QrError::TooLarge);
    }
    read(&bytes)
}

/// As [`read_file`], from memory.
///
/// # Errors
///
/// As [`read_file`].
pub fn read(bytes: &[u8]) -> Result<String, QrError> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|_| QrError::NotAPicture)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE_PIXELS);
    limits.max_image_height = Some(MAX_SIDE_PIXELS);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    let picture = match reader.decode() {
        Err(image::ImageError::Limits(_)) => return Err(QrError::TooLarge),
        decoded => decoded.map_err(|_| QrError::NotAPicture)?.into_luma8(),
    };
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        picture.as_raw()[y * width + x]
    });
    let texts: Vec<_> = prepared
        .detect_grids()
        .iter()
        .take(MAX_CODES)
        .filter_map(|grid| grid.decode().ok().map(|(_, text)| text))
        .collect();
    let link = texts.iter().find(|text| text.contains("/activate#"));
    link.or(texts.first()).cloned().ok_or(QrError::NoCode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture_of(text: &str, format: image::ImageFormat) -> Vec<u8> {
        let code = qrcode::QrCode::new(text).unwrap();
        let picture = code
            .render::<image::Luma<u8>>()
            .min_dimensions(300, 300)
            .build();
        let mut bytes = Vec::new();
        picture
            .write_to(&mut Cursor::new(&mut bytes), format)
            .unwrap();
        bytes
    }

    #[test]
    fn a_link_is_read_from_png_and_jpeg() {
        let link = "https://portal.example/activate#AbCdEfGhIjKlMnOpQrStUw";
        for format in [image::ImageFormat::Png, image::ImageFormat::Jpeg] {
            assert_eq!(read(&picture_of(link, format)).unwrap(), link, "{format:?}");
        }
    }

    #[test]
    fn pictures_without_a_code_and_files_that_are_none_are_told_apart() {
        let mut blank = Vec::new();
        image::GrayImage::new(50, 50)
            .write_to(&mut Cursor::new(&mut blank), image::ImageFormat::Png)
            .unwrap();
        assert!(matches!(read(&blank), Err(QrError::NoCode)));
        assert!(matches!(read(b"GIF89a"), Err(QrError::NotAPicture)));
        assert!(matches!(read(b""), Err(QrError::NotAPicture)));
        let whole = picture_of("x", image::ImageFormat::Png);
        assert!(matches!(
            read(&whole[..whole.len() / 2]),
            Err(QrError::NotAPicture)
        ));
    }

    #[test]
    fn a_picture_that_claims_to_be_huge_is_not_decoded() {
        let mut png = picture_of("x", image::ImageFormat::Png);
        // Width in the header chunk; its checksum is checked too, so write that as well.
        png[16..20].copy_from_slice(&100_000_u32.to_be_bytes());
        let checksum = crc32(&png[12..29]);
        png[29..33].copy_from_slice(&checksum.to_be_bytes());
        assert!(matches!(read(&png), Err(QrError::TooLarge)));
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
            })
        })
    }
}
