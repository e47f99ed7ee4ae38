"""Rounds in turn, and what they cost: CPU of the relay's threads for each packet, memory of each call."""

import json
import os
import platform
import shutil
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from bench_sip.processes import Process

from .relays import Ours, Rtpengine, Secured

ROOT = Path(__file__).resolve().parent.parent.parent
PACKETS_OF_A_MINUTE = 50 * 60  # of one stream
MUST, GOAL = 0.80, 0.50
MUST_SECURED, GOAL_SECURED = 1.15, 1.05  # of what the same costs in plain; and of rtpengine's
MUST_BYTES, GOAL_BYTES = 16_384, 5_120


@dataclass
class Figures:
    """Of one relay with so many calls, over all rounds."""

    packet_us: list = field(default_factory=list)
    lost: int = 0
    sent: int = 0
    refused: int = 0


class Bench:
    def __init__(self, options):
        self.options = options
        self.generator = Path(options.bin) / "bench"
        self.folder = ROOT / "var" / "bench-relay"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.relays = [Ours(self.generator, self.folder), Rtpengine(self.folder, options.threads)]
        if options.own_ports:
            self.relays.append(Ours(self.generator, self.folder, "own-ports"))
            self.relays[-1].name = "Tandem, own ports"
        if options.secured:
            ours = Ours(self.generator, self.folder, "secured")
            ours.name, ours.is_secured = "Tandem, secured", True
            self.relays += [ours, Secured(self.relays[1])]
        self.results = {}
        self.call_bytes = {}
        self.voices = None

    def run(self):
        most = max(self.options.calls)
        few = max(most // 8, 1)
        for relay in self.relays:
            relay.start()
            if relay.is_secured:
                continue  # of rtpengine the same process
            # Before anything else, because later calls get the memory of earlier ones; what is there for any number of calls cancels out.
            with_few = self.talk(relay, few, 2, Figures())
            with_most = self.talk(relay, most, 2, Figures())
            self.call_bytes[relay.name] = (with_most - with_few) / (most - few) if most > few else with_most
        for calls in self.options.calls:
            rows = {relay.name: Figures() for relay in self.relays}
            self.results[calls] = rows
            for number in range(self.options.rounds):
                in_turn = self.relays if number % 2 == 0 else self.relays[::-1]
                for relay in in_turn:
                    self.talk(relay, calls, self.options.seconds, rows[relay.name])
                said = ", ".join(f"{name} {row.packet_us[-1]:.2f} µs" for name, row in rows.items())
                print(f"{calls} calls, round {number + 1}: {said}", flush=True)

    def talk(self, relay, calls, seconds, figures):
        """One round of so many calls through one relay; its memory while they talk."""
        secured = ["--secured"] if relay.is_secured else []
        self.voices = Process([self.generator, "voices", "--calls", calls, "--seconds", seconds, "--tick-us", self.options.tick, *secured],
                              self.folder / "voices.log",
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            parties = self._line()
            self.voices.child.stdin.write(json.dumps(relay.connect(parties)).encode() + b"\n")
            self.voices.child.stdin.flush()
            begin, cpu = self._line()["begin"], relay.process.cpu()
            end, after = self._line()["end"], relay.process.cpu()
            memory = relay.process.pss()
            outcome = self._line()
        finally:
            self.voices.stop()
        relay.end_all()
        spent, packets = after - cpu, end - begin
        figures.packet_us.append(spent.total / packets * 1e6)
        figures.lost += outcome["lost"]
        figures.refused += outcome["refused"]
        figures.sent += outcome["sent"]
        return memory

    def _line(self):
        line = self.voices.child.stdout.readline()
        if not line:
            raise RuntimeError(f"the voices have ended: see {self.voices.log}")
        return json.loads(line)

    def stop(self):
        if self.voices:
            self.voices.stop()
        for relay in self.relays:
            relay.stop()

    def report(self):
        """Prints the table, keeps it as JSON; whether every must holds."""
        print("\n| calls | relay | CPU for a packet, lowest | in the middle | CPU s for a stream-minute | ratio | lost | |\n"
              "|---|---|---|---|---|---|---|---|")
        is_good, kept = True, {}
        for calls, rows in self.results.items():
            for name, row in rows.items():
                lowest = min(row.packet_us)
                reference = min(rows["rtpengine, secured" if "secured" in name else "rtpengine"].packet_us)
                ratio = lowest / reference
                verdict = self._verdict(calls, name, row, ratio)
                is_good &= "MISS" not in verdict
                print(f"| {calls} | {name} | {lowest:.2f} µs | {statistics.median(row.packet_us):.2f} µs | "
                      f"{lowest * PACKETS_OF_A_MINUTE / 1e6:.4f} | {ratio:.2f} | {row.lost} of {row.sent:,} | {verdict} |")
                kept.setdefault(calls, {})[name] = {**row.__dict__, "ratio": ratio}
            if "Tandem, secured" in rows:
                times = {name: min(rows[f"{name}, secured"].packet_us) / min(rows[name].packet_us) for name in ("Tandem", "rtpengine")}
                ours = times["Tandem"]
                verdict = "held, goal too" if ours <= GOAL_SECURED else "held" if ours <= MUST_SECURED else f"more than {MUST_SECURED}"
                print(f"- {calls} calls, a secured hop beside a plain one: Tandem {ours:.2f} ({verdict}), rtpengine {times['rtpengine']:.2f}")
        for name, size in self.call_bytes.items():
            verdict = "" if name == "rtpengine" else " (MISS)" if size > MUST_BYTES else " (held, goal too)" if size <= GOAL_BYTES else " (held)"
            is_good &= "MISS" not in verdict
            print(f"- {name}: {size:,.0f} bytes for a call, of {max(self.options.calls)} that talk{verdict}")
        machine = {"cores": os.cpu_count(), "kernel": platform.release(), "load": os.getloadavg()}
        (ROOT / "var" / "bench-relay.json").write_text(json.dumps({"machine": machine, "rounds": self.options.rounds, "call_bytes": self.call_bytes, "rows": kept}, indent=1))
        print("\nkept in var/bench-relay.json")
        return is_good

    def _verdict(self, calls, name, row, ratio):
        if name != Ours.name:
            return ""
        misses = []
        if calls >= 150 and ratio > MUST:
            misses.append("CPU")
        if row.lost or row.refused:
            misses.append("loss")
        return f"MISS: {', '.join(misses)}" if misses else "held, goal too" if ratio <= GOAL else "held"
