#!/usr/bin/env python3
"""Scores a recording of received speech against the file that was sent.

    score.py SENT.wav RECEIVED.wav

Prints one line of JSON: PESQ wide band (ITU-T P.862.2, mean opinion score 1.0 to 4.64), how far the recording lags
behind the file in milliseconds, and how many seconds were compared. Both files may have any sample rate.
"""

import json
import sys
from math import gcd

import numpy as np
from pesq import pesq
from scipy.io import wavfile
from scipy.signal import correlate, resample_poly

RATE = 16000


def load(path):
    """Samples as one channel at 16 kHz, between -1 and 1."""
    rate, samples = wavfile.read(path)
    samples = samples.astype(np.float64) / 32768
    if samples.ndim > 1:
        samples = samples.mean(axis=1)
    shared = gcd(rate, RATE)
    return resample_poly(samples, RATE // shared, rate // shared)


def lag(sent, received):
    """Samples by which `received` comes later than `sent`, found where their correlation is greatest."""
    correlation = correlate(received, sent, mode="full", method="fft")
    return int(np.argmax(np.abs(correlation))) - (len(sent) - 1)


def score(sent_path, received_path):
    sent, received = load(sent_path), load(received_path)
    if not np.any(np.abs(received) > 0.001):
        return {"pesq_wb": 1.0, "lag_ms": None, "seconds": 0.0, "reason": "the recording is silent"}
    late = lag(sent, received)
    aligned = received[late:] if late >= 0 else np.concatenate([np.zeros(-late), received])
    length = min(len(sent), len(aligned))
    mos = pesq(RATE, sent[:length], aligned[:length], "wb")
    return {"pesq_wb": round(float(mos), 2), "lag_ms": round(late * 1000 / RATE), "seconds": round(length / RATE, 1)}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(json.dumps(score(sys.argv[1], sys.argv[2])))
