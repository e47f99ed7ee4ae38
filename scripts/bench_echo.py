#!/usr/bin/env python3
"""Scores what our phone makes of an echo, in simulated rooms (tests/bench/src/process.rs does the processing).

One person talks from the loudspeaker, whose sound comes back to the microphone after the delay of cards and room, 6 dB
softer, with the room's reverberation, a loudspeaker that is not quite linear, and some noise. Printed for each case, as
medians and spread over speakers and rooms:

- ERLE (echo return loss enhancement, ITU-T G.168): how much softer the echo is after the processing, in dB, in the first
  5 s and after them. What remains includes the noise, so that a room can show no more than the column "room".
- double talk: STOI of the person in the room while the other one talks all the time, beside the same without echo.
- processor time for each frame of 10 ms; last, of each stage alone, the least of some rounds.

Then what is harder, with echo cancellation alone:

- no echo: a microphone that does not hear the loudspeaker. PESQ wb and STOI of who talks here, beside the same without
  echo cancellation.
- weak echo: 25 dB softer.
- another room, with another delay, at half time: ERLE in the 5 s after that, and later.
- both talk from the beginning: ERLE in the 0.7 s after the person in the room falls silent, after so many seconds.
- drift: the clock of the microphone is 100 ppm slower than the loudspeaker's.
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
from pesq import pesq
from pystoi import stoi
from scipy.interpolate import CubicSpline
from scipy.io import wavfile
from scipy.signal import correlate, fftconvolve, resample_poly

RATE = 48000
SPEECH = ["var/speech/human.wav", "var/speech/human-man.wav"]
SPEECH_DBFS, NOISE_DBFS = -26, -80
REVERBERATION_S, DIRECT_TO_REVERBERANT = 0.25, 0.034
# The aims of docs/performance.md.
AIM_ERLE, AIM_STOI = 45, 0.05
AIM_PESQ_NO_ECHO, AIM_STOI_NO_ECHO = 0.1, 0.01
RETURN_DB, WEAK_RETURN_DB = 6, 25
DRIFT_PPM = 100
UNTIL_SILENT_S = (1, 2, 5, 10, 20)
SWITCHES = {
    "echo": ["--high-pass", "--echo"],
    "noise": ["--high-pass", "--noise"],
    "gain": ["--high-pass", "--gain"],
    "noise and gain": ["--high-pass", "--noise", "--gain"],
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


def echo(played, delay_ms, seed, softer_db=RETURN_DB):
    """What comes back of it."""
    random = np.random.default_rng(seed)
    time = np.arange(int(0.3 * RATE)) / RATE
    room = random.standard_normal(len(time)) * np.exp(-6.9 * time / REVERBERATION_S) * DIRECT_TO_REVERBERANT
    room[: int(0.002 * RATE)] = 0
    room[0] = 1
    loudspeaker = np.tanh(1.5 * played) / 1.5 + 0.02 * played**2
    back = fftconvolve(loudspeaker, np.concatenate([np.zeros(int(delay_ms * RATE / 1000)), room]))[: len(played)]
    return back * 10 ** ((decibels(played) - softer_db - decibels(back)) / 20)


def process(program, captured, played, switches):
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{name}.wav" for name in ("captured", "played", "sent")]
        for path, samples in zip(paths, (captured, played)):
            wavfile.write(path, RATE, np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16))
        command = [program, "process", "--near", paths[0], "--far", paths[1], "--out", paths[2], *switches]
        out = subprocess.run(command, check=True, capture_output=True, text=True)
        return wavfile.read(paths[2])[1] / 32768, json.loads(out.stdout)


def aligned(said, sent):
    """Both at 16 kHz, in step."""
    said, sent = resample_poly(said, 1, 3), resample_poly(sent, 1, 3)
    late = max(0, int(np.argmax(correlate(sent, said, mode="full", method="fft"))) - (len(said) - 1))
    return said[: len(said) - late], sent[late:]


def understood(said, sent):
    """STOI."""
    said, sent = aligned(said, sent)
    return stoi(said, sent, RATE // 3)


def liked(said, sent):
    """PESQ wb of the first 20 s."""
    said, sent = [np.clip(samples[: 20 * RATE // 3] * 32768, -32768, 32767) for samples in aligned(said, sent)]
    return pesq(RATE // 3, said.astype(np.int16), sent.astype(np.int16), "wb")


def speakers(seed):
    """Who is far away and who is here, equally long; noise of the room, twice as long."""
    far, near = [load(path) for path in (SPEECH if seed % 2 else SPEECH[::-1])]
    length = min(len(far), len(near))
    noise = np.random.default_rng(1000 + seed).standard_normal(2 * length) * 10 ** (NOISE_DBFS / 20)
    return far[:length], near[:length], noise


def run(program, switches, delay_ms, seed):
    """One room: its scores."""
    far, near, noise = speakers(seed)
    length = len(far)
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
        "us": times["frame_us"],
    }


def lost(program, here, far, back, noise, scored):
    """What who is here loses, PESQ wb and STOI, beside the same sound without far end and echo cancellation."""
    said = here[scored]
    plain, _ = process(program, here + noise, np.zeros(len(here)), ["--high-pass"])
    sent, _ = process(program, here + back + noise, far, SWITCHES["echo"])
    return {
        "pesq_plain": liked(said, plain[scored]),
        "pesq": liked(said, sent[scored]),
        "stoi_plain": understood(said, plain[scored]),
        "stoi": understood(said, sent[scored]),
    }


def later(samples, seconds, length):
    """The same, so much later."""
    silence = np.zeros(int(seconds * RATE))
    return np.concatenate([silence, samples, np.zeros(length)])[:length]


def without_echo(program, case, seed):
    far, near, noise = speakers(seed)
    length = len(far)
    begin = 8 if case == "far side first" else 0
    far = np.zeros(length) if case == "near side alone" else np.concatenate([far, far])[: length + begin * RATE]
    here = later(near, begin, len(far))
    return lost(program, here, far, 0, noise[: len(far)], slice(begin * RATE, begin * RATE + length))


def weak_echo(program, delay_ms, seed):
    far, near, noise = speakers(seed)
    length = len(far)
    back = echo(far, delay_ms, seed, WEAK_RETURN_DB)
    sent, _ = process(program, back + noise[:length], far, SWITCHES["echo"])
    settled = int(5.7 * RATE)
    # As soft to the ear as the echo: who is here talks from the beginning.
    erle = decibels(back[settled:]) - decibels(sent[settled : len(sent)])
    return {"erle": erle} | lost(program, near, far, back, noise[:length], slice(0, length))


def other_room(program, delays_ms, seed):
    far, _, noise = speakers(seed)
    length = len(far)
    far = np.concatenate([far, far])
    back = echo(far, delays_ms[0], seed)
    back[length:] = echo(far, delays_ms[1], seed + 100)[length:]
    sent, _ = process(program, back + noise, far, SWITCHES["echo"])
    begin, settled = length + int(0.7 * RATE), length + int(5.7 * RATE)
    before = slice(int(5.7 * RATE), length)
    return {
        "before": decibels(back[before]) - decibels(sent[before]),
        "first": decibels(back[begin:settled]) - decibels(sent[begin:settled]),
        "erle": decibels(back[settled:]) - decibels(sent[settled : len(sent)]),
    }


def both_from_the_beginning(program, delay_ms, seed):
    far, near, noise = speakers(seed)
    length = len(far)
    back = echo(far, delay_ms, seed)
    scores = {}
    for seconds in UNTIL_SILENT_S:
        end, until = seconds * RATE, int((seconds + 0.7) * RATE)
        here = np.concatenate([near[:end], np.zeros(length - end)])
        sent, _ = process(program, here + back + noise[:length], far, SWITCHES["echo"])
        quiet = slice(end + RATE // 100, until)
        scores[f"{seconds} s"] = decibels(back[quiet]) - decibels(sent[quiet])
    plain, _ = process(program, near + noise[:length], np.zeros(length), SWITCHES["echo"])
    sent, _ = process(program, near + back + noise[:length], far, SWITCHES["echo"])
    return scores | {"stoi_plain": understood(near, plain), "stoi": understood(near, sent)}


def drifting(program, delay_ms, seed):
    far, _, noise = speakers(seed)
    far = np.concatenate([far, far])
    back = echo(far, delay_ms, seed)
    place = np.arange(len(far)) * (1 + DRIFT_PPM / 1e6)
    back = CubicSpline(np.arange(len(far)), back)(np.minimum(place, len(far) - 1))
    sent, _ = process(program, back + noise, far, SWITCHES["echo"])
    begin, settled = int(0.7 * RATE), int(5.7 * RATE)
    last = slice(len(far) * 3 // 4, len(sent))
    return {
        "first": decibels(back[begin:settled]) - decibels(sent[begin:settled]),
        "erle": decibels(back[settled:]) - decibels(sent[settled : len(sent)]),
        "last quarter": decibels(back[last]) - decibels(sent[last]),
    }


# What is measured besides the rooms: name, function, each setting.
HARDER = [
    ("no echo", without_echo, ["both from the beginning", "far side first", "near side alone"]),
    ("weak echo", weak_echo, [30, 140]),
    ("another room", other_room, [(30, 140), (140, 30)]),
    ("both from the beginning", both_from_the_beginning, [30, 140]),
    ("drift", drifting, [30, 140]),
]


def spread(values, digits=1):
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def print_rooms(pool, asked):
    """The table of rooms; whether an aim was missed."""
    missed = False
    jobs = {
        (name, delay): [pool.submit(run, asked.program, SWITCHES[name], delay, seed) for seed in range(1, asked.rooms + 1)]
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
    return missed


def print_harder(pool, asked):
    """What is harder; whether an aim without echo was missed."""
    missed = False
    jobs = {
        (name, setting): [pool.submit(score, asked.program, setting, seed) for seed in range(1, asked.rooms + 1)]
        for name, score, settings in HARDER
        if name in asked.harder
        for setting in settings
    }
    for (name, setting), results in jobs.items():
        scores = [job.result() for job in results]
        column = {key: [score[key] for score in scores] for key in scores[0]}
        print(f"| {name} | {setting} | " + ", ".join(
            f"{key} {spread(values, 3 if 'stoi' in key else 2 if 'pesq' in key else 1)}" for key, values in column.items()
        ) + " |", flush=True)
        if name == "no echo":
            pesq_lost = [score["pesq_plain"] - score["pesq"] for score in scores]
            stoi_lost = [score["stoi_plain"] - score["stoi"] for score in scores]
            missed |= max(pesq_lost) > AIM_PESQ_NO_ECHO or max(stoi_lost) > AIM_STOI_NO_ECHO
    return missed


def print_costs(program):
    """What each stage costs while both talk in a room, and while only the person here does."""
    far, near, noise = speakers(1)
    back = echo(far, 80, 1)
    both, alone = (near + back + noise[: len(far)], far), (near + noise[: len(far)], np.zeros(len(far)))
    print("\n| µs of a processor for a frame, least of 8 rounds | both talk | nothing is played |\n|---|---|---|")
    for name, switches in ({"high-pass": ["--high-pass"]} | SWITCHES).items():
        costs = [process(program, *heard, [*switches, "--rounds", "8"])[1]["frame_us"] for heard in (both, alone)]
        print(f"| {name} | " + " | ".join(f"{cost:.1f}" for cost in costs) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=4, help="rooms for each delay; half of them with the speakers exchanged")
    parser.add_argument("--delays", nargs="*", type=int, default=[30, 80, 140, 200], help="milliseconds")
    parser.add_argument("--switches", nargs="*", choices=SWITCHES, default=["echo", "all"])
    names = [name for name, _, _ in HARDER]
    parser.add_argument("--harder", nargs="*", choices=names, default=names, help="none: only the rooms")
    parser.add_argument("--program", default=os.environ.get("CARGO_TARGET_DIR", "target") + "/release/bench")
    asked = parser.parse_args()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        missed = print_rooms(pool, asked)
        print("\n| case | of it | scores |\n|---|---|---|")
        missed |= print_harder(pool, asked)
    print(f"\nAims: ERLE ≥ {AIM_ERLE} dB after 5 s, at most {AIM_STOI} of STOI lost in double talk; without echo at most "
          f"{AIM_PESQ_NO_ECHO} of PESQ wb and {AIM_STOI_NO_ECHO} of STOI lost: {'missed' if missed else 'held'}")
    print_costs(asked.program)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
