"""How speech arrived: what a listener would say of it, how late it was, and what was missing.

Both signals come from recordings on one clock, at 48 kHz: the microphone as it heard, the loudspeaker as it spoke. They are aligned by
cross-correlation, as a whole and then second by second, because a jitter buffer may move while somebody speaks. So each second's delay is
exact to a sample, 0.02 ms; the delay of the call is the one in the middle.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

import numpy as np
from pesq import pesq
from pystoi import stoi
from scipy.io import wavfile
from scipy.signal import correlate, resample_poly

RATE = 48_000
# Speech that repeats itself fools a correlation that may look further.
MOST_DELAY = 2.0
# How far the delay of a second may be from that of the whole.
MOST_MOVE = 0.25
SECOND = RATE
# A gap: so long nothing was heard, 30 dB below what was said, while somebody spoke, less than 25 dB below the level of the speech.
GAP_FRAME = RATE // 100
GAP_DB, SPEECH_DB = -30.0, -25.0


@dataclass(frozen=True)
class Score:
    pesq_wb: float
    pesq_nb: float
    stoi: float
    # From the microphone to the loudspeaker: the second in the middle, and those at the tenth and at nine tenths.
    delay_ms: float
    delay_low_ms: float
    delay_high_ms: float
    # How much later the last third came than the first.
    drift_ms: float
    # How much louder it came out.
    level_db: float
    gaps: int
    gap_ms: int


class NothingHeard(Exception):
    """The recording has no speech in it, or none that is like what was said."""


def load(path, channels):
    """A recording as numbers from -1 to 1, one row for each channel."""
    samples = np.fromfile(path, dtype="<i2")
    return samples[: len(samples) // channels * channels].reshape(-1, channels).T.astype(np.float32) / 32_768


def read_wav(path):
    """A file of one channel at 48 kHz as numbers from -1 to 1."""
    rate, samples = wavfile.read(path)
    if rate != RATE or samples.ndim != 1:
        raise ValueError(f"{path}: one channel at {RATE} Hz is needed")
    return samples.astype(np.float32) / 32_768


def score(said, heard, search=(0.0, MOST_DELAY)):
    """What became of `said`; the delay is looked for between these seconds."""
    start, end = _speech(said)
    spoken = said[start:end]
    late = _lag(spoken, heard, start, *(int(seconds * RATE) for seconds in search))
    received = _from(heard, start + late, len(spoken))
    if np.sqrt(np.mean(received**2)) < 1e-4:
        raise NothingHeard("what came out of the loudspeaker is silence")
    lags, followed = _followed(spoken, heard, start, late)
    third = len(lags) // 3
    drift = np.median(lags[-third:]) - np.median(lags[:third])
    gaps, gap_ms = _gaps(spoken, followed)
    wide, narrow = ([_resampled(signal, rate) for signal in (spoken, received)] for rate in (16_000, 8_000))
    return Score(pesq_wb=_pesq(16_000, *wide, "wb"), pesq_nb=_pesq(8_000, *narrow, "nb"),
                 stoi=round(float(stoi(wide[0], _resampled(followed, 16_000), 16_000)), 3), delay_ms=_ms(np.median(lags)),
                 delay_low_ms=_ms(np.quantile(lags, 0.1)), delay_high_ms=_ms(np.quantile(lags, 0.9)), drift_ms=_ms(drift),
                 level_db=_level(spoken, followed), gaps=gaps, gap_ms=gap_ms)


def slowed(signal, ppm):
    """What a clock that is `ppm` too fast has recorded, as one that is right would have."""
    ratio = Fraction(1_000_000, 1_000_000 + round(ppm))
    return resample_poly(signal, ratio.numerator, ratio.denominator).astype(np.float32)


def occurrences(signal, text, times):
    """Where `text`, said so often in `signal`, begins each time, in order."""
    likeness = np.abs(correlate(signal, text, mode="valid", method="fft"))
    begins = []
    for _ in range(times):
        begins.append(int(np.argmax(likeness)))
        likeness[max(0, begins[-1] - len(text) // 2):begins[-1] + len(text) // 2] = 0
    return sorted(begins)


def _speech(signal):
    """First and last sample of the speech, with a little around them."""
    loud = np.flatnonzero(np.abs(signal) > 0.01)
    if not len(loud):
        raise NothingHeard("nothing was said: the microphone's channel is silent")
    margin = RATE // 4
    return max(0, int(loud[0]) - margin), min(len(signal), int(loud[-1]) + margin)


def _lag(spoken, heard, start, least, most, otherwise=None):
    """By how many samples `spoken`, said at `start`, comes later in `heard`; `otherwise` if it does not come."""
    begin = start + least
    part = _from(heard, begin, len(spoken) + most - least)
    likeness = np.abs(correlate(part, spoken, mode="valid", method="fft"))
    if not np.any(likeness > 1e-3 * np.sum(spoken**2)):
        if otherwise is not None:
            return otherwise
        raise NothingHeard("what came out of the loudspeaker is not what was said")
    return least + int(np.argmax(likeness))


def _followed(spoken, heard, start, late):
    """The lag of every second with speech in it, and what was heard, each second put back to where it was said."""
    lags, parts, lag = [], [], late
    level = np.mean(spoken**2)
    for begin in range(0, len(spoken), SECOND):
        part = spoken[begin:begin + SECOND]
        if np.mean(part**2) > level / 100 and len(part) > SECOND // 2:
            least, most = (late + side * int(MOST_MOVE * RATE) for side in (-1, 1))
            lag = _lag(part, heard, start + begin, least, most, otherwise=lag)
            lags.append(lag)
        parts.append(_from(heard, start + begin + lag, len(part)))
    return np.array(lags), np.concatenate(parts)


def _from(signal, begin, length):
    """This stretch, with silence where the signal has not begun or has ended."""
    before, after = max(0, -begin), max(0, begin + length - len(signal))
    return np.pad(signal[max(0, begin):max(0, begin + length)], (before, after))[:length]


def _resampled(signal, rate):
    shared = gcd(RATE, rate)
    return resample_poly(signal, rate // shared, RATE // shared).astype(np.float64)


def _ms(samples):
    return round(1000 * float(samples) / RATE, 2)


def _pesq(rate, spoken, received, band):
    return round(float(pesq(rate, spoken, received, band)), 3)


def _frames(signal):
    """Power of every 10 ms."""
    whole = signal[: len(signal) // GAP_FRAME * GAP_FRAME].astype(np.float64)
    return np.mean(whole.reshape(-1, GAP_FRAME) ** 2, axis=1) + 1e-12


def _active(frames):
    return frames > np.mean(frames[frames > 1e-6]) * 10 ** (SPEECH_DB / 10)


def _level(spoken, received):
    said, heard = _frames(spoken), _frames(received)
    active = _active(said)
    return round(10 * math.log10(np.mean(heard[active]) / np.mean(said[active])), 1)


def _gaps(spoken, received):
    """How many gaps, and their milliseconds in all. The lesser neighbour is what counts as said: frames do not end where phonemes do."""
    said, heard = _frames(spoken), _frames(received)
    least = np.minimum(said, np.minimum(np.roll(said, 1), np.roll(said, -1)))
    level = np.mean(heard[_active(said)]) / np.mean(said[_active(said)])
    missing = _active(said) & (heard < least * level * 10 ** (GAP_DB / 10))
    begins = np.flatnonzero(missing & ~np.roll(missing, 1))
    return len(begins), 10 * int(np.sum(missing))
