"""One call of one case: phones started, one called, speech said on both sides, and what came of it."""

import time
from dataclasses import dataclass

import numpy as np

from bench_sip.processes import wait_until

from .phones import PHONES, Place
from .pulse import Sound
from .score import load, occurrences, read_wav, score, slowed

# As long as a person needs to pick up; a phone may use it to open its cards.
RINGING = 1.0
# Streams and jitter buffers have found their level.
SETTLED = 2.0
# What is still under way when the last word was said.
TAIL = 1.5
MOST_SETUP = 20.0
# Recordings of two daemons do not begin together.
APART = (-3.0, 3.0)


@dataclass(frozen=True)
class Stage:
    """What all calls share."""

    network: object
    server: object
    # What side a and side b say.
    speech: tuple
    realtime: bool


def measured(stage, case, network, seed, folder):
    """Figures of one call, by name; recordings and logs go into a folder of its own."""
    folder.mkdir(parents=True)
    stage.network.impair(network.impairment, seed)
    sounds = _sounds(folder, network.clock_ppm, stage.realtime)
    phones = []
    try:
        for sound in set(sounds):
            sound.start()
        for side, sound in enumerate(sounds):
            place = Place(side, stage.network, sound, stage.server, folder, stage.realtime, case.codec, network.lossy)
            phones.append(PHONES[case.pair](place))
            phones[-1].start()
        for phone in phones:
            wait_until(phone.is_registered, f"{phone.title} registers (see {phone.log})", MOST_SETUP)
        recordings = {sound: sound.record(folder / f"{sound.folder.name}.raw") for sound in set(sounds)}
        figures = _talk(stage, phones, sounds, network.times)
        for recording in recordings.values():
            recording.stop()
    finally:
        for phone in phones:
            phone.stop()
        for sound in set(sounds):
            sound.stop()
    return figures | _scores(stage, sounds, network)


def _sounds(folder, clock_ppm, realtime):
    """The sound system of each side; one for both, unless their clocks are to differ."""
    both = Sound(folder / "sound", realtime=realtime)
    return (both, Sound(folder / "sound-b", clock_ppm=clock_ppm, realtime=realtime)) if clock_ppm else (both, both)


def _talk(stage, phones, sounds, times):
    caller, called = phones
    caller.call(called.user)
    wait_until(called.is_ringing, f"the called {called.title} rings", MOST_SETUP)
    time.sleep(RINGING)
    said_at = called.answer()
    wait_until(lambda: _flows(stage.network.seen()), "sound goes both ways", MOST_SETUP)
    begun = stage.network.seen()
    time.sleep(SETTLED)
    before, began = [phone.process.cpu() for phone in phones], time.monotonic()
    for _ in range(times):
        players = [sound.play(f"{side}_air", speech) for side, sound, speech in zip("ab", sounds, stage.speech)]
        for player in players:
            player.child.wait(120)
    seconds = time.monotonic() - began
    spent = [(phone.process.cpu() - earlier).total for phone, earlier in zip(phones, before)]
    memory = [phone.process.rss() / 1e6 for phone in phones]
    time.sleep(TAIL)
    seen, problems = stage.network.seen(), [problem for phone in phones for problem in phone.problems()]
    caller.hang_up()
    time.sleep(0.3)
    answered_at = begun.answered_at()
    first = {"callee": begun.first_rtp_at("ba"), "caller": begun.first_rtp_at("ab")}
    return {
        "answer_ms": round(1000 * (answered_at - said_at), 2),
        **{f"first_rtp_{who}_ms": round(1000 * (at - answered_at), 1) for who, at in first.items()},
        **{f"cpu_{who}_percent": round(100 * cpu / seconds, 2) for who, cpu in zip(("caller", "callee"), spent)},
        **{f"rss_{who}_mb": round(rss, 1) for who, rss in zip(("caller", "callee"), memory)},
        "cpu_percent": round(100 * max(spent) / seconds, 2), "rss_mb": round(max(memory), 1),
        "loss_percent": round(seen.loss_percent("ab"), 1), "packets": seen.counts["ab rtp"]["seen"],
        "network_latest_ms": seen.latest_ms, "problems": problems,
    }


def _flows(seen):
    return seen.answered_at() and seen.first_rtp_at("ab") and seen.first_rtp_at("ba")


def _scores(stage, sounds, network):
    """What side b heard of side a, and the other way round with `back_` before it."""
    recorded = [load(sound.folder.with_suffix(".raw"), sound.channels) for sound in sounds]
    figures = {}
    for prefix, speaker, listener in (("", 0, 1), ("back_", 1, 0)):
        said = _channel(recorded, sounds, speaker, "mic")
        heard = _channel(recorded, sounds, listener, "spk")
        if network.times == 1:
            scores = vars(score(said, heard))
        else:
            scores = _over_time(said, heard, read_wav(stage.speech[speaker]), network.times)
        figures |= {f"{prefix}{name}": value for name, value in scores.items()}
    moves = (figures[f"{prefix}delay_high_ms"] - figures[f"{prefix}delay_low_ms"] for prefix in ("", "back_"))
    return figures | {"wander_ms": round(max(moves), 2)}


def _channel(recorded, sounds, side, device):
    signal = recorded[side][sounds[side].channel(f"{'ab'[side]}_{device}")]
    return slowed(signal, sounds[side].clock_ppm) if sounds[side].clock_ppm else signal


def _over_time(said, heard, text, times):
    """The last time it was said is scored; drift is how much later that came than the first time, gaps and the range of delays are of all
    times.

    Two recordings do not begin in one moment, so delays are known among each other only."""
    begins, scores = occurrences(said, text, times), []
    for begin in begins:
        part = np.zeros_like(said)
        part[begin:begin + len(text)] = said[begin:begin + len(text)]
        scores.append(score(part, heard, APART))
    first, last = scores[0], scores[-1]
    return vars(last) | {"delay_ms": None, "drift_ms": round(last.delay_ms - first.delay_ms, 2),
                         "delay_low_ms": min(each.delay_low_ms for each in scores), "delay_high_ms": max(each.delay_high_ms for each in scores),
                         "gaps": sum(each.gaps for each in scores), "gap_ms": sum(each.gap_ms for each in scores)}
