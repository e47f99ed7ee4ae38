"""Whether the rig itself is true: what it measures with must not be what is measured."""

import os
import socket
import subprocess
import sys
import time

import numpy as np
from scipy.io import wavfile

from .impairment import Impairment, Path
from .pulse import RATE, Sound, clock, samples_per_second
from .score import load, score

# Packets that are sent through the real namespaces, one every 2 ms.
PROBES = 1_000
PROBE_PORT = 20_000
FAR_OFF_PPM = 20_000


class Untrue(Exception):
    """The rig does not do what it says; the text says what."""


def loop_is_exact(folder, speech, realtime=True):
    """What is said into a room is what its microphone hears: every sample, at one lag."""
    rate, said = wavfile.read(speech)
    said = said[: 5 * rate]
    clip = folder / "clip.wav"
    wavfile.write(clip, rate, said)
    sound = Sound(folder / "check", realtime=realtime)
    sound.start()
    try:
        recordings = [sound.record(folder / "mic.raw", "a_mic", 1), sound.record(folder / "wire.raw")]
        time.sleep(0.5)
        sound.play("a_air", clip).child.wait(30)
        time.sleep(0.5)
        for recording in recordings:
            recording.stop()
    finally:
        sound.stop()
    lags = []
    for name, channels in (("mic", 1), ("wire", sound.channels)):
        heard = np.fromfile(folder / f"{name}.raw", dtype="<i2")
        heard = heard[: len(heard) // channels * channels].reshape(-1, channels)[:, 0]
        lags.append(_exact_lag(said, heard, name))
    through = score(np.concatenate([said, np.zeros(RATE)]).astype(np.float32) / 32_768, load(folder / "mic.raw", 1)[0])
    if through.pesq_wb < 4.6 or through.drift_ms or through.gaps:
        raise Untrue(f"the scorer finds fault with a perfect copy: {through}")
    return f"loop a_air → a_mic and → wire: {len(said)} samples exact at one lag each; PESQ of the copy {through.pesq_wb:.2f}"


def _exact_lag(said, heard, name):
    first = int(np.flatnonzero(np.abs(said) > 300)[0])
    mark = said[first:first + 64]
    candidates = np.flatnonzero(heard[: len(heard) - len(said) + first] == mark[0])
    for at in candidates:
        lag = at - first
        if lag >= 0 and np.array_equal(heard[at:at + 64], mark):
            wrong = int(np.sum(heard[lag:lag + len(said)] != said))
            if wrong:
                raise Untrue(f"{name}: {wrong} of {len(said)} samples differ: is the machine too busy for sound?")
            return lag
    raise Untrue(f"{name}: what was played was not recorded")


def chance_is_as_asked():
    """Loss, bursts, reordering and duplicates of many invented packets, and that a seed decides them."""
    for asked in (Impairment(loss=5), Impairment(loss=20), Impairment(loss=10, burst=3), Impairment(reorder=5, duplicate=2)):
        path, same = (Path(asked, "a seed") for _ in range(2))
        fates = [path.arrivals(at / 50, 200) for at in range(100_000)]
        counts = path.counts
        lost, burst = 100 * counts.lost / counts.seen, counts.lost / max(counts.bursts, 1)
        expected = asked.burst if asked.burst > 1 else 1 / (1 - asked.loss / 100)
        found = {"loss": (lost, asked.loss, 0.5), "packets lost in a row": (burst if asked.loss else 1.0, expected, 0.1),
                 "reordered": (100 * counts.overtaken / counts.seen, asked.reorder, 0.3),
                 "duplicated": (100 * counts.duplicated / counts.seen, asked.duplicate, 0.3)}
        for what, (is_so, should_be, tolerance) in found.items():
            if abs(is_so - should_be) > tolerance:
                raise Untrue(f"{asked}: {what} is {is_so:.2f}, not {should_be:.2f}")
        if fates != [same.arrivals(at / 50, 200) for at in range(100_000)]:
            raise Untrue(f"{asked}: the same seed gave another fate")
    return "chance: loss 5 and 20 %, bursts of three at 10 %, reordering, duplicates as asked over 100,000 packets; a seed repeats them"


def network_is_as_asked(network):
    """Real packets between the namespaces: how many arrive, how late, and that signalling is left alone."""
    asked = Impairment(loss=10, delay_ms=30)
    network.impair(asked, seed=7)
    with network.inside(0):
        sender, signalling = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        sender.bind((network.addresses[0], PROBE_PORT))
        signalling.bind((network.addresses[0], 5_999))
    with network.inside(1):
        receiver, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        receiver.bind((network.addresses[1], PROBE_PORT))
        other.bind((network.addresses[1], 5_999))
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    # The kernel notes when each arrived: this program reads them all at the end.
    receiver.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
    sent = []
    for number in range(PROBES):
        sent.append(time.time())
        sender.sendto(b"\x80\x60" + number.to_bytes(4, "big") + bytes(160), (network.addresses[1], PROBE_PORT))
        if number % 10 == 0:
            signalling.sendto(b"OPTIONS", (network.addresses[1], 5_999))
        time.sleep(0.002)
    time.sleep(0.2)
    delays = [1000 * (at - sent[number]) for number, at in _read_all(receiver)]
    signals = sum(1 for _ in _read_all(other))
    for each in (sender, signalling, receiver, other):
        each.close()
    counted = network.seen().counts["ab rtp"]
    lost, median = 100 * (PROBES - len(delays)) / PROBES, float(np.median(delays))
    if counted["seen"] != PROBES or counted["lost"] != PROBES - len(delays):
        raise Untrue(f"the network counted {counted}, but {len(delays)} of {PROBES} packets arrived")
    if abs(lost - asked.loss) > 3 or abs(median - asked.delay_ms) > 3:
        raise Untrue(f"asked for {asked}, got {lost:.1f} % loss and {median:.1f} ms")
    if signals != PROBES // 10:
        raise Untrue(f"{PROBES // 10 - signals} of {PROBES // 10} packets of signalling were lost")
    network.impair()
    return (f"network: {lost:.1f} % of {PROBES} packets lost for 10 % asked, delay {median:.1f} ms (99 of 100 within "
            f"{np.percentile(delays, 99):.1f}) for 30 asked, signalling untouched")


def _read_all(receiver):
    """Number and time of arrival of each datagram that waits."""
    receiver.setblocking(False)
    while True:
        try:
            data, notes, _, _ = receiver.recvmsg(2_048, 64)
        except BlockingIOError:
            return
        at = next((int.from_bytes(note[:8], "little") + int.from_bytes(note[8:16], "little") / 1e9 for _, _, note in notes), 0.0)
        yield int.from_bytes(data[2:6], "big"), at


def clocks_are_as_asked(folder, ppm, realtime=True):
    """The second sound system's clock is as much too fast as asked, and its cards follow its clock.

    How fast cards are is known to some hundred ppm within seconds, so that is looked at with a clock that is far more off."""
    found = _clock_ppm(ppm)
    if abs(found - ppm) > 30:
        raise Untrue(f"the second clock is {found:.0f} ppm fast instead of {ppm:.0f}")
    sounds = [Sound(folder / name, clock_ppm=fast, realtime=realtime) for name, fast in (("right", 0), ("fast", FAR_OFF_PPM))]
    try:
        for sound in sounds:
            sound.start()
        right, fast = samples_per_second(sounds, 8)
    finally:
        for sound in sounds:
            sound.stop()
    cards = 1e6 * (fast / right - 1)
    if abs(cards / FAR_OFF_PPM - 1) > 0.1:
        raise Untrue(f"cards are {cards:.0f} ppm fast under a clock that is {FAR_OFF_PPM}")
    return f"clocks: {found:.0f} ppm apart for {ppm:.0f} asked; cards {cards:.0f} ppm fast under a clock that is {FAR_OFF_PPM}"


def _clock_ppm(ppm, seconds=5.0):
    """By how much such a clock is faster than ours."""
    told = "import sys, time\nfor line in sys.stdin: print(time.clock_gettime(time.CLOCK_MONOTONIC), flush=True)"
    with subprocess.Popen([sys.executable, "-c", told], env={**os.environ, **clock(ppm)}, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as other:
        def asked():
            before = time.monotonic()
            other.stdin.write("\n")
            other.stdin.flush()
            there = float(other.stdout.readline())
            after = time.monotonic()
            return after - before, (before + after) / 2, there

        _, here_first, there_first = min(asked() for _ in range(50))
        time.sleep(seconds)
        _, here_last, there_last = min(asked() for _ in range(50))
    return 1e6 * ((there_last - there_first) / (here_last - here_first) - 1)
