"""Whether the rig itself is true: what it measures with must not be what is measured."""

import os
import socket
import subprocess
import sys
import time

import numpy as np
from scipy.io import wavfile

from .emulator import classify
from .impairment import Impairment, Path
from .pulse import RATE, Sound, clock, samples_per_second
from .score import load, score

# Packets of which only the fate is asked.
INVENTED = 50_000
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
    """What many invented packets meet, and that a seed decides it."""
    # So far apart that none catches up with another, and close together.
    for asked, apart in ((Impairment(loss=5), 0.02), (Impairment(loss=20), 0.02), (Impairment(loss=10, burst=3), 0.02),
                         (Impairment(delay_ms=60, jitter_ms=50), 0.2), (Impairment(delay_ms=60, jitter_ms=50), 0.02),
                         (Impairment(delay_ms=20, reorder=5, duplicate=2), 0.02), (Impairment(rate_kbps=64, queue_ms=100), 0.02)):
        sent = [number * apart for number in range(INVENTED)]
        fates, again = ([path.arrivals(at, 200) for at in sent] for path in (Path(asked, "a seed"), Path(asked, "a seed")))
        if fates != again:
            raise Untrue(f"{asked}: the same seed gave another fate")
        for what, found, least, most in _expectations(asked, apart, sent, fates):
            if not least <= found <= most:
                raise Untrue(f"{asked}, packets every {1000 * apart:.0f} ms: {what} is {found:.2f}, not from {least:.2f} to {most:.2f}")
    return f"chance: loss, bursts, jitter, order, reordering, duplicates and rate as asked over {INVENTED:,} packets; a seed repeats them"


def _expectations(asked, apart, sent, fates):
    """What is so of these packets, and between what it should be."""
    is_lost = np.array([not fate for fate in fates])
    arrived = np.array([fate[0] for fate in fates if fate])
    delays = 1000 * (arrived - np.array(sent)[~is_lost])
    overtaken = 100 * np.mean(arrived[:-1] > arrived[1:])
    twice, more = (100 * np.mean([len(fate) in copies for fate in fates]) for copies in ((2,), range(3, 9)))
    if asked.rate_kbps:  # 200 bytes every 20 ms are 80 kbit/s: every fifth finds no room, and the others wait for the queue
        yield "loss", 100 * np.mean(is_lost), 19.5, 20.5
        yield "delay once the queue is full", np.median(delays), asked.queue_ms, asked.queue_ms + 30
        return
    yield "loss", 100 * np.mean(is_lost), asked.loss - 0.6, asked.loss + 0.6
    in_a_row = np.sum(is_lost) / max(1, np.sum(is_lost[1:] & ~is_lost[:-1]))
    expected = asked.burst if asked.burst > 1 else 1 / (1 - asked.loss / 100)
    yield "packets lost in a row", in_a_row, *((expected - 0.1, expected + 0.1) if asked.loss else (0, 0))
    yield "twice", twice, asked.duplicate - 0.4, asked.duplicate + 0.4
    yield "more than twice", more, 0, 0
    yield "overtaken", overtaken, asked.reorder - 0.5, asked.reorder + (0.5 if asked.reorder else 0)
    latest = asked.delay_ms + (asked.reorder_ms if asked.reorder else asked.jitter_ms)
    yield "delay of the latest", np.max(delays), latest - 1, latest + 0.01
    if apart > asked.jitter_ms / 500:
        yield "delay of the earliest", np.min(delays), asked.delay_ms - asked.jitter_ms - 0.01, asked.delay_ms - asked.jitter_ms + 1
        if not asked.reorder:
            yield "mean delay", np.mean(delays), asked.delay_ms - 1, asked.delay_ms + 1


def packets_are_told_apart():
    """RTP, RTCP and signalling, by ports and first bytes."""
    for expected, source, destination, payload in (
            ("rtp", 20_000, 20_002, b"\x80\x60"), ("rtp", 16_384, 20_000, b"\x80\xe0"), ("rtcp", 20_001, 20_003, b"\x80\xc8"),
            ("rtcp", 20_000, 20_002, b"\x81\xcd"), ("sip", 40_000, 5_060, b"REGISTER"), ("sip", 5_060, 40_000, b"SIP/2.0")):
        ports = source.to_bytes(2, "big") + destination.to_bytes(2, "big")
        found, _ = classify(b"\x45" + bytes(8) + b"\x11" + bytes(10) + ports + bytes(4) + payload)
        if found != expected:
            raise Untrue(f"{payload} from {source} to {destination} is taken for {found}, not for {expected}")
    return "packets: RTP, RTCP and signalling told apart"


def network_is_as_asked(network):
    """Real packets between the namespaces: how many arrive, how late, and that signalling is left alone."""
    asked = Impairment(loss=10, delay_ms=30)
    network.impair(asked, seed=7)
    with network.inside(0):
        sender, signalling = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        sender.bind((network.addresses[0], PROBE_PORT))
        signalling.bind((network.addresses[0], PROBE_PORT + 1))
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
