//! `reference`: the best that a call could sound, to score calls against.

use media::{Codec, OpusConfig};
use serde_json::json;

use crate::cli::{self, CodecChoice};
use crate::failure::{Failure, FailureKind};
use crate::terminal::Terminal;

pub(super) async fn reference(asked: cli::Reference, terminal: Terminal) -> Result<(), Failure> {
    let failed = |text: String| Failure::new(FailureKind::Sound, text);
    let codec = match asked.codec {
        CodecChoice::Opus => Codec::Opus,
        CodecChoice::Pcma => Codec::Pcma,
        CodecChoice::Pcmu => Codec::Pcmu,
        CodecChoice::G722 => return Err(failed("G.722 is not spoken yet".to_owned())),
    };
    let output = asked.output.clone();
    let transcoding = tokio::task::spawn_blocking(move || {
        media_io::reference_transcode(&asked.input, &asked.output, codec, &OpusConfig::default())
    });
    transcoding
        .await
        .map_err(|_| failed("the codec failed".to_owned()))?
        .map_err(|error| failed(error.to_string()))?;
    let path = output.display().to_string();
    terminal.result(
        &json!({ "written": path, "codec": codec.name() }),
        &format!("Wrote {path}"),
    );
    Ok(())
}
