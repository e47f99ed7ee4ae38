"""The process between two network namespaces: carries every packet, impairs those of media, and notes what went by.

    python -m audio_rig.emulator '{"names": [..], "addresses": [..], "priority": 3}'

One JSON line `{"ready": …}` when packets flow. Orders are JSON lines on standard input, each answered by one line: `{"set": {…}, "seed": 1}`
begins anew with that impairment, `{"tell": true}` tells what was counted since. It makes both namespaces and removes them when standard
input ends, so nothing stays behind whoever started it.

Time is CLOCK_MONOTONIC in seconds, the same for all processes. Packets are noted when they leave their namespace, before any harm.
"""

import heapq
import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict

from . import namespace
from .impairment import Impairment, Path

UDP = 17
# RTP and RTCP of all phones here; signalling and everything else has at least one port outside.
MEDIA_PORTS = range(10_000, 60_000)
# RFC 5761 section 4: what RTCP types look like where RTP has marker and payload type.
RTCP_TYPES = range(64, 96)
# Messages of one call that are kept; a call has a dozen.
MOST_NOTED = 200
DIRECTIONS = ("ab", "ba")


class Emulator:
    def __init__(self, tuns):
        self.tuns = tuns
        self.waiting, self.count = [], 0
        self.begin(Impairment(), 1)

    def begin(self, impairment, seed):
        """Forgets what was counted and noted; what is under way still arrives."""
        self.paths = {(direction, kind): Path(impairment, f"{seed} {direction} {kind}") for direction in DIRECTIONS
                      for kind in ("rtp", "rtcp")}
        self.messages, self.first_rtp, self.latest_ms = [], {}, 0.0

    def told(self):
        return {"messages": self.messages, "first_rtp": self.first_rtp, "latest_ms": round(self.latest_ms, 3),
                "counts": {f"{direction} {kind}": asdict(path.counts) for (direction, kind), path in self.paths.items()}}

    def carry(self, direction, packet, now):
        kind, payload = classify(packet)
        if kind == "sip":
            self._note(direction, payload, now)
        if (direction, kind) not in self.paths:
            return self._deliver(direction, packet)
        if kind == "rtp":
            self.first_rtp.setdefault(direction, now)
        for at in self.paths[direction, kind].arrivals(now, len(packet)):
            if at <= now:
                self._deliver(direction, packet)
            else:
                self.count += 1
                heapq.heappush(self.waiting, (at, self.count, direction, packet))

    def release(self, now):
        """Delivers what is due; the seconds until the next is."""
        while self.waiting and self.waiting[0][0] <= now:
            at, _, direction, packet = heapq.heappop(self.waiting)
            self.latest_ms = max(self.latest_ms, 1000 * (now - at))
            self._deliver(direction, packet)
        return self.waiting[0][0] - now if self.waiting else None

    def _deliver(self, direction, packet):
        with suppress(OSError):  # a full device drops, as a network does
            os.write(self.tuns[1 - DIRECTIONS.index(direction)], packet)

    def _note(self, direction, payload, now):
        lines = payload[:2_000].split(b"\r\n")
        method = next((line.split()[-1].decode() for line in lines if line.lower().startswith(b"cseq:")), "")
        if method and len(self.messages) < MOST_NOTED:
            self.messages.append({"at": now, "direction": direction, "start": lines[0].decode(errors="replace")[:80], "method": method})


def classify(packet):
    """`rtp`, `rtcp`, `sip` or `other`, and the payload."""
    if len(packet) < 28 or packet[0] >> 4 != 4 or packet[9] != UDP:
        return "other", b""
    start = (packet[0] & 15) * 4
    ports = [int.from_bytes(packet[start + at:start + at + 2], "big") for at in (0, 2)]
    payload = packet[start + 8:]
    if not all(port in MEDIA_PORTS for port in ports):
        return "sip", payload
    is_rtcp = len(payload) > 1 and payload[1] & 0x7F in RTCP_TYPES
    return "rtcp" if is_rtcp else "rtp", payload


def run(tuns):
    emulator, orders = Emulator(tuns), sys.stdin.fileno()
    print(json.dumps({"ready": True}), flush=True)
    unread = b""
    while True:
        pause = emulator.release(time.monotonic())
        readable, _, _ = select.select([*tuns, orders], [], [], pause)
        now = time.monotonic()
        for direction, tun in zip(DIRECTIONS, tuns):
            if tun in readable:
                with suppress(BlockingIOError):
                    while True:
                        emulator.carry(direction, os.read(tun, 2_048), now)
        if orders in readable:
            read = os.read(orders, 65_536)
            if not read:
                return
            *lines, unread = (unread + read).split(b"\n")
            for line in lines:
                order = json.loads(line)
                if "set" in order:
                    emulator.begin(Impairment(**order["set"]), order["seed"])
                print(json.dumps(emulator.told()), flush=True)


def main():
    options = json.loads(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever presses Ctrl+C ends the bench, which ends this
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if options["priority"]:
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(options["priority"]))
    try:
        run([namespace.make(name, address) for name, address in zip(options["names"], options["addresses"])])
    finally:
        for name in options["names"]:
            namespace.remove(name)


if __name__ == "__main__":
    main()
