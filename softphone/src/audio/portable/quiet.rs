//! What a sound system has to say of its own accord goes to the log, not to the terminal.
//!
//! ALSA prints a dozen lines to standard error for each card that cannot be opened
//! (alsa-lib, `snd_lib_error_set_local`); our own sentences would drown in them.

/// Does what ALSA may have words about; they are logged for the curious. What it says on this
/// thread later is not printed either.
#[cfg(target_os = "linux")]
pub(super) fn quietly<T>(what: impl FnOnce() -> T) -> T {
    // Its own memory is full: then it prints.
    let Ok(heard) = alsa::Output::local_error_handler() else {
        return what();
    };
    let done = what();
    heard.borrow().buffer_string(|said| {
        if !said.is_empty() {
            tracing::debug!(said = %String::from_utf8_lossy(said).trim_end(), "ALSA");
        }
    });
    done
}

/// Nothing is printed by the sound systems elsewhere.
#[cfg(not(target_os = "linux"))]
pub(super) fn quietly<T>(what: impl FnOnce() -> T) -> T {
    what()
}
