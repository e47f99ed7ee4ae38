"""One run: the stage set once, every case in turns, rounds alternating, what failed said and passed over."""

import datetime
import json
import os
import platform
import shutil
import subprocess
import tempfile
import traceback
from pathlib import Path

from . import check
from .call import Stage, measured
from .cases import NETWORKS
from .network import Network
from .phones import PHONES, PRIORITY
from .report import tables
from .server import Server

ROOT = Path(__file__).resolve().parent.parent.parent
SPEECH = ROOT / "var" / "speech"
# A longer drift is a jitter buffer that was moved by a busy machine.
MOST_DRIFT_MS = 25.0
MOST_REPEATS = 2
# What a busy machine may spoil is looked at so often before it counts as untrue.
CHECKS = 3


class Bench:
    def __init__(self, cases, rounds, programs, keep=False):
        self.cases, self.rounds, self.keep = cases, rounds, keep
        self.realtime = subprocess.run(["chrt", "-r", str(PRIORITY), "true"], capture_output=True).returncode == 0
        self.folder = Path(tempfile.mkdtemp(prefix="bench-audio-"))  # sockets are in it, whose paths must be short
        self.speech = (SPEECH / "human.wav", SPEECH / "human-man.wav")
        self.network = Network(self.realtime)
        priority = ["chrt", "-r", str(PRIORITY)] if self.realtime else []
        self.server = Server(self.network, programs, self.folder / "server", priority)
        self.rows = {case: [] for case in cases}
        self.notes, self.loads = [], []

    def check(self, clocks):
        """Prints what was found true of the rig itself, and raises what was not."""
        checks = [check.chance_is_as_asked, check.packets_are_told_apart, lambda: check.loop_is_exact(self.folder, self.speech[0], self.realtime),
                  lambda: check.network_is_as_asked(self.network)]
        if clocks:
            checks.append(lambda: check.clocks_are_as_asked(self.folder, NETWORKS["drift"].clock_ppm, self.realtime))
        for one in checks:
            for attempt in range(CHECKS):
                try:
                    say(f"self-check: {one()}")
                    break
                except check.Untrue as error:
                    if attempt + 1 == CHECKS:
                        raise
                    self.note(f"self-check: {error}; once more, load {os.getloadavg()[0]:.1f}")

    def run(self):
        if not self.realtime:
            self.note("no real-time priority for the phones: delays depend on what else runs here")
        missing = {pair: why for pair in {case.pair for case in self.cases} if (why := PHONES[pair].missing())}
        for pair, why in missing.items():
            self.note(f"{pair}: not measured, {why}")
        self.server.start()
        stage = Stage(self.network, self.server, self.speech, self.realtime)
        for round_number in range(1, self.rounds + 1):
            for case in self.cases:
                if case.pair not in missing:
                    self._measure(stage, case, round_number)

    def _measure(self, stage, case, round_number):
        network, figures = NETWORKS[case.network], None
        for attempt in range(1 + MOST_REPEATS):
            self.loads.append(os.getloadavg()[0])
            folder = self.folder / str(case).replace(":", "-") / f"{round_number}-{attempt}"
            try:
                again = measured(stage, case, network, round_number, folder)
            except Exception as error:  # one case that cannot be measured must not take the others with it
                traceback.print_exc()
                return self.note(f"{case}: round {round_number} failed: {error}")
            figures = min(figures or again, again, key=lambda one: abs(one["drift_ms"]))
            if network.clock_ppm or abs(figures["drift_ms"]) <= MOST_DRIFT_MS:
                break
            what = "repeated" if attempt < MOST_REPEATS else "moved each time, the steadiest counts"
            self.note(f"{case}: round {round_number} {what}, drift {again['drift_ms']:+.1f} ms, load {self.loads[-1]:.1f}")
        self.rows[case].append(figures)
        say(f"{case}: {_short(figures)}")
        for problem in figures["problems"]:
            self.note(f"{case}: the phone says: {problem}")

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)
        say(f"  {text}")

    def report(self, kept):
        say("\n" + tables(self.rows))
        say("\n" + "\n".join(f"- {note}" for note in [*self.notes, self._machine_text()]))
        if kept:
            rows = [{"pair": case.pair, "codec": case.codec, "network": case.network, "rounds": rounds} for case, rounds in self.rows.items()]
            Path(kept).write_text(json.dumps({"at": _now(), "machine": machine(), "loads": self.loads, "notes": self.notes, "rows": rows},
                                             indent=1) + "\n")
            say(f"\nkept in {kept}")
        return any(self.rows.values())

    def _machine_text(self):
        about = machine()
        load = f"load of the machine {min(self.loads):.1f} to {max(self.loads):.1f}" if self.loads else "nothing was measured"
        return f"{about['cpu']}, {about['cores']} cores, {load}; {'; '.join(f'{name} {version}' for name, version in about['peers'].items())}"

    def stop(self):
        self.server.stop()
        self.network.stop()
        if self.keep:
            say(f"recordings and logs are in {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def say(text):
    print(text, flush=True)


def _short(figures):
    delay = "" if figures["delay_ms"] is None else f"{figures['delay_ms']:.1f} ms mouth to ear, "
    return (f"PESQ {figures['pesq_wb']:.2f} wb {figures['pesq_nb']:.2f} nb, STOI {figures['stoi']:.3f}, {delay}"
            f"drift {figures['drift_ms']:+.1f}, {figures['gaps']} gaps; CPU {figures['cpu_caller_percent']:.1f} and "
            f"{figures['cpu_callee_percent']:.1f} %, RSS {figures['rss_mb']:.1f} MB; 200 OK {figures['answer_ms']:.1f} ms, RTP "
            f"{figures['first_rtp_callee_ms']:.0f} and {figures['first_rtp_caller_ms']:.0f} ms; lost {figures['loss_percent']:.1f} %")


def _now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def machine():
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    asked = ["dpkg-query", "-W", "-f=${Package}=${Version}\n", "baresip-core", "linphone-cli", "pulseaudio"]
    versions = subprocess.run(asked, capture_output=True, text=True).stdout.split()
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(), "peers": dict(each.split("=") for each in versions)}
