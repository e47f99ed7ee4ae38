#!/usr/bin/env python3
"""Scores what our phone makes of an echo, in simulated rooms (tests/bench/src/process.rs does the processing).

One person talks from the loudspeaker, whose sound comes back to the microphone after the delay of cards and room, 6 dB
softer, with the room's reverberation, a loudspeaker that is not quite linear, and some noise. Printed for each case, as
medians and spread over speakers and rooms:

- ERLE (echo return loss enhancement, ITU-T G.168): how much softer the echo is after the processing, in dB, in the first
  5 s and after them. What remains includes the noise, so that a room can show no more than the column "room".
- double talk: STOI of the person in the room while the other one talks all the time, beside the same without echo.
- time for each frame of 10 ms.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np
from pystoi import stoi
from scipy.io import wavfile
from scipy.signal import correlate, fftconvolve, resample_poly

RATE = 48000
SPEECH = ["var/speech/human.wav", "var/speech/human-man.wav"]
SPEECH_DBFS, NOISE_DBFS = -26, -80
REVERBERATION_S, DIRECT_TO_REVERBERANT = 0.25, 0.034
# The aims of docs/performance.md.
AIM_ERLE, AIM_STOI = 45, 0.05
SWITCHES = {
    "echo": ["--high-pass", "--echo"],
    "noise": ["--high-pass", "--noise"],
    "gain": ["--high-pass", "--gain"],
    "echo and noise": ["--high-pass", "--echo", "--noise"],
    "all": ["--high-pass", "--echo", "--noise", "--gain"],
}


def decibels(samples):
    return 10 * np.log10(np.mean(samples**2) + 1e-12)


def load(path):
    """Speech at the usual level, counted where somebody talks."""
    _, samples = wavfile.read(path)
    samples = samples / 32768
    spoken = samples[np.abs(samples) > 0.01 * np.abs(samples).max()]
    return samples * 10 ** ((SPEECH_DBFS - decibels(spoken)) / 20)


def echo(played, delay_ms, seed):
    """What comes back of it."""
    random = np.random.default_rng(seed)
    time = np.arange(int(0.3 * RATE)) / RATE
    room = random.standard_normal(len(time)) * np.exp(-6.9 * time / REVERBERATION_S) * DIRECT_TO_REVERBERANT
    room[: int(0.002 * RATE)] = 0
    room[0] = 1
    loudspeaker = np.tanh(1.5 * played) / 1.5 + 0.02 * played**2
    back = fftconvolve(loudspeaker, np.concatenate([np.zeros(int(delay_ms * RATE / 1000)), room]))[: len(played)]
    return back * 10 ** ((decibels(played) - 6 - decibels(back)) / 20)


def process(program, captured, played, switches):
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{name}.wav" for name in ("captured", "played", "sent")]
        for path, samples in zip(paths, (captured, played)):
            wavfile.write(path, RATE, np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16))
        command = [program, "process", "--near", paths[0], "--far", paths[1], "--out", paths[2], *switches]
        out = subprocess.run(command, check=True, capture_output=True, text=True)
        return wavfile.read(paths[2])[1] / 32768, json.loads(out.stdout)


def understood(said, sent):
    """STOI, aligned."""
    said, sent = resample_poly(said, 1, 3), resample_poly(sent, 1, 3)
    late = max(0, int(np.argmax(correlate(sent, said, mode="full", method="fft"))) - (len(said) - 1))
    return stoi(said[: len(said) - late], sent[late:], RATE // 3)


def run(program, switches, delay_ms, seed):
    """One room: its scores."""
    far, near = [load(path) for path in (SPEECH if seed % 2 else SPEECH[::-1])]
    length = min(len(far), len(near))
    far, near = far[:length], near[:length]
    random = np.random.default_rng(1000 + seed)
    noise = random.standard_normal(2 * length) * 10 ** (NOISE_DBFS / 20)
    back = echo(far, delay_ms, seed)
    sent, times = process(program, back + noise[:length], far, switches)
    begin, settled = int(0.7 * RATE), int(5.7 * RATE)
    # Double talk: who is here begins after 8 s.
    later = 8 * RATE
    twice = np.concatenate([far, far])
    here = np.concatenate([np.zeros(later), near, np.zeros(len(twice) - later - length)])
    talking = slice(later + RATE // 2, later + length)
    alone, _ = process(program, here + noise, np.zeros(len(twice)), switches)
    both, _ = process(program, here + echo(twice, delay_ms, seed) + noise, twice, switches)
    return {
        "first": decibels(back[begin:settled]) - decibels(sent[begin:settled]),
        "erle": decibels(back[settled:]) - decibels(sent[settled : len(sent)]),
        "room": decibels(back[settled:]) - NOISE_DBFS,
        "alone": understood(here[talking], alone[talking]),
        "both": understood(here[talking], both[talking]),
        "us": times["median_us"],
    }


def spread(values, digits=1):
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=4, help="rooms for each delay; half of them with the speakers exchanged")
    parser.add_argument("--delays", nargs="*", type=int, default=[30, 80, 140, 200], help="milliseconds")
    parser.add_argument("--switches", nargs="*", choices=SWITCHES, default=["echo", "all"])
    parser.add_argument("--program", default=os.environ.get("CARGO_TARGET_DIR", "target") + "/release/bench")
    asked = parser.parse_args()
    missed = False
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {
            (name, delay): [
                pool.submit(run, asked.program, SWITCHES[name], delay, seed) for seed in range(1, asked.rooms + 1)
            ]
            for name in asked.switches
            for delay in asked.delays
        }
        print("| on | delay ms | ERLE first 5 s | ERLE after | room | STOI alone | STOI double talk | lost | µs a frame |")
        print("|---|---|---|---|---|---|---|---|---|")
        for (name, delay), results in jobs.items():
            scores = [job.result() for job in results]
            column = {key: [score[key] for score in scores] for key in scores[0]}
            lost = [score["alone"] - score["both"] for score in scores]
            missed |= "--echo" in SWITCHES[name] and (median(column["erle"]) < AIM_ERLE or median(lost) > AIM_STOI)
            print(f"| {name} | {delay} | {spread(column['first'])} | {spread(column['erle'])} | {median(column['room']):.0f} "
                  f"| {spread(column['alone'], 3)} | {spread(column['both'], 3)} | {spread(lost, 3)} "
                  f"| {median(column['us']):.0f} |", flush=True)
    print(f"\nAims: ERLE ≥ {AIM_ERLE} dB after 5 s, at most {AIM_STOI} of STOI lost in double talk: {'missed' if missed else 'held'}")
    print("Processing alone, medians: ", end="")
    speech = load(SPEECH[0])
    print(", ".join(f"{name} {process(asked.program, speech, speech, switches)[1]['median_us']:.0f} µs" for name, switches in SWITCHES.items()))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
