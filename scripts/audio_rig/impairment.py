"""What a bad network does to a packet. Pure: time comes in, times of arrival come out, chance is seeded.

One `Path` is one direction of one kind of packets. Every packet draws the same number of random numbers, so the n-th packet of a path
meets the same fate in every run with the same seed, whatever the packets before it were.
"""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Impairment:
    """Percent of packets, milliseconds, and kbit/s; nothing is impaired where nothing is said."""

    loss: float = 0.0
    # Packets lost in a row on the average (Gilbert-Elliott, every packet in the bad state is lost); 1 is loss without memory.
    burst: float = 1.0
    delay_ms: float = 0.0
    # Uniform, this much to either side of the delay; the order of packets is kept.
    jitter_ms: float = 0.0
    # This share of packets comes so much later than it would, and is overtaken.
    reorder: float = 0.0
    reorder_ms: float = 45.0
    duplicate: float = 0.0
    # What the line carries, and how much of it may wait; 0 is without limit.
    rate_kbps: float = 0.0
    queue_ms: float = 200.0

    def __post_init__(self):
        for name in ("loss", "reorder", "duplicate"):
            if not 0 <= getattr(self, name) < 100:
                raise ValueError(f"{name}: from 0 to below 100 percent, not {getattr(self, name)}")
        if self.burst < 1:
            raise ValueError(f"burst: at least 1 packet, not {self.burst}")
        if min(self.delay_ms, self.jitter_ms, self.reorder_ms, self.rate_kbps, self.queue_ms) < 0:
            raise ValueError("times and rates cannot be negative")


@dataclass
class Counts:
    """What was done to the packets of a path."""

    seen: int = 0
    lost: int = 0
    # Runs of lost packets.
    bursts: int = 0
    overtaken: int = 0
    duplicated: int = 0
    # For want of room on a line of limited rate.
    dropped: int = 0


class Path:
    """One direction of one kind of packets."""

    def __init__(self, impairment, seed):
        self.impairment = impairment
        self.counts = Counts()
        self._random = random.Random(seed)
        self._is_bad = False
        self._last = 0.0  # when the packet before arrives
        self._line_free = 0.0

    def arrivals(self, now, length):
        """When a packet of `length` bytes that is sent `now` (seconds) arrives: never, once, or more often."""
        asked, counts = self.impairment, self.counts
        chance_loss, chance_jitter, chance_reorder, chance_duplicate = (self._random.random() for _ in range(4))
        counts.seen += 1
        if self._is_lost(chance_loss):
            counts.lost += 1
            return []
        through = self._through_line(now, length)
        if through is None:
            counts.dropped += 1
            return []
        at = max(now, through + (asked.delay_ms + (2 * chance_jitter - 1) * asked.jitter_ms) / 1000)
        at = max(at, self._last)
        if 100 * chance_reorder < asked.reorder:
            counts.overtaken += 1
            at += asked.reorder_ms / 1000
        else:
            self._last = at
        if 100 * chance_duplicate < asked.duplicate:
            counts.duplicated += 1
            return [at, at]
        return [at]

    def _is_lost(self, chance):
        was_bad, share = self._is_bad, self.impairment.loss / 100
        if self.impairment.burst == 1:
            self._is_bad = chance < share
        elif was_bad:
            self._is_bad = chance >= 1 / self.impairment.burst
        else:
            self._is_bad = chance < share / (1 - share) / self.impairment.burst
        self.counts.bursts += self._is_bad and not was_bad
        return self._is_bad

    def _through_line(self, now, length):
        """When the packet has left the line; None if it finds no room."""
        asked = self.impairment
        if not asked.rate_kbps:
            return now
        start = max(now, self._line_free)
        if (start - now) * 1000 > asked.queue_ms:
            return None
        self._line_free = start + length * 8 / (asked.rate_kbps * 1000)
        return self._line_free
