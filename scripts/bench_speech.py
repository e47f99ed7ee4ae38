#!/usr/bin/env python3
"""Scores what our media path makes of speech on bad networks, in simulated time (tests/bench/src/speech).

Each case is one codec and one network; each seed is another pattern of loss. Printed for each case: PESQ wide and
narrow band (medians and spread over the seeds and speakers), STOI, and the delay from microphone to loudspeaker
without the sound cards, beside the target for it (docs/performance.md).
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

from pesq import pesq
from pystoi import stoi
from scipy.signal import resample_poly

sys.path.insert(0, str(Path(__file__).parent))
from score import RATE, lag, load  # noqa: E402

NETWORKS = {
    "clean": [],
    "loss5": ["--loss", "5"],
    "loss10": ["--loss", "10"],
    "loss20": ["--loss", "20"],
    "bursts10": ["--loss", "10", "--burst", "3"],
    "bursts20": ["--loss", "20", "--burst", "3"],
    "bursts10of5": ["--loss", "10", "--burst", "5"],
    "jitter30": ["--delay", "60", "--jitter", "30"],
    "jitter50": ["--delay", "60", "--jitter", "50"],
    "reorder10": ["--delay", "60", "--reorder", "10"],
    "jitter30loss5": ["--delay", "60", "--jitter", "30", "--loss", "5"],
    "faster200": ["--ppm", "200"],
    "slower200": ["--ppm", "-200"],
}
CODECS = ["opus", "g722", "pcma"]
# PESQ that must be reached: wide band with Opus, narrow band with G.711.
TARGETS = {
    ("opus", "loss5"): 4.0,
    ("opus", "loss10"): 3.7,
    ("opus", "loss20"): 3.2,
    ("opus", "jitter30"): 4.2,
    ("pcma", "loss5"): 2.9,
    ("pcma", "loss10"): 2.5,
    ("pcma", "loss20"): 2.0,
}


def run(program, speech, codec, network, seed, extra):
    """One call: its scores."""
    with tempfile.TemporaryDirectory() as folder:
        heard = Path(folder) / "heard.wav"
        command = [program, "speech", "--speech", speech, "--heard", heard, "--codec", codec, "--seed", str(seed)]
        out = subprocess.run([*map(str, command), *NETWORKS[network], *extra], check=True, capture_output=True, text=True)
        counted = json.loads(out.stdout)
        sent, received = load(speech), load(heard)
    late = max(lag(sent, received), 0)
    length = min(len(sent), len(received) - late)
    sent, received = sent[:length], received[late : late + length]
    return {
        "wb": pesq(RATE, sent, received, "wb"),
        "nb": pesq(RATE // 2, *(resample_poly(signal, 1, 2) for signal in (sent, received)), "nb"),
        "stoi": stoi(sent, received, RATE),
        "delay_ms": late * 1000 / RATE,
        "counted": counted,
    }


def spread(values, digits=2):
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="", help="cases as codec:network, comma between; parts match")
    parser.add_argument("--speech", nargs="*", default=["var/speech/human.wav", "var/speech/human-man.wav"])
    parser.add_argument("--program", default=os.environ.get("CARGO_TARGET_DIR", "target") + "/release/bench")
    parser.add_argument("--extra", default="", help="passed on to the program")
    parser.add_argument("--verbose", action="store_true")
    asked = parser.parse_args()
    only = [part for part in asked.only.split(",") if part]
    cases = [(codec, network) for codec in CODECS for network in NETWORKS]
    cases = [case for case in cases if not only or any(part in ":".join(case) for part in only)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {
            case: [
                pool.submit(run, asked.program, speech, *case, seed, asked.extra.split())
                for speech in asked.speech
                for seed in range(1, asked.seeds + 1)
            ]
            for case in cases
        }
        print("| codec | network | PESQ wb | PESQ nb | STOI | delay ms | target |\n|---|---|---|---|---|---|---|")
        for (codec, network), results in jobs.items():
            scores = [job.result() for job in results]
            column = {key: [score[key] for score in scores] for key in ("wb", "nb", "stoi", "delay_ms")}
            target = TARGETS.get((codec, network))
            judged = column["nb" if codec == "pcma" else "wb"]
            verdict = "" if target is None else f"{target} {'held' if median(judged) >= target else '**missed**'}"
            print(f"| {codec} | {network} | {spread(column['wb'])} | {spread(column['nb'])} | {spread(column['stoi'], 3)} "
                  f"| {spread(column['delay_ms'], 0)} | {verdict} |", flush=True)
            if asked.verbose:
                for score in scores:
                    print("   ", round(score["wb"], 2), json.dumps(score["counted"]["receiver"]))


if __name__ == "__main__":
    main()
