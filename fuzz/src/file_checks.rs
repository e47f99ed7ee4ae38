//! Sound files of any content: sound, or an error that says what is wrong.

use std::io::Write;
use std::time::Duration;

use media::SILENCE;
use media_io::{AfterEnd, AudioSource, PlayError, Played, Player, WavSource};
use tempfile::NamedTempFile;

/// Frames that are listened to: what waits in the player, and some more.
const FRAMES: usize = 60;

/// A file that is played once, from the middle, and over and over.
pub fn sound_file(data: &[u8]) {
    let mut file = NamedTempFile::new().expect("a file can be made");
    file.write_all(data).expect("it can be written to");
    if let Ok(mut source) = WavSource::open(file.path(), AfterEnd::Loop) {
        source.read(&mut SILENCE.clone());
    }
    for after_end in [AfterEnd::Silence, AfterEnd::Loop] {
        let mut player = match Player::open(file.path(), after_end) {
            Ok(player) => player,
            Err(PlayError::Unsuitable { problem, .. }) => {
                assert!(!problem.is_empty());
                return;
            }
            Err(_) => return,
        };
        listen(&mut player);
        player.seek(player.duration() / 2);
        listen(&mut player);
        player.seek(Duration::MAX);
        listen(&mut player);
    }
}

/// To so many frames, or to the end.
fn listen(player: &mut Player) {
    let mut heard = 0;
    while heard < FRAMES {
        match player.next_frame() {
            Played::Frame(_) => heard += 1,
            Played::Waiting => std::thread::yield_now(),
            Played::Ended => {
                assert!(player.has_ended());
                return;
            }
        }
    }
    let _ = player.position();
}
