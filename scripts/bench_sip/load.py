"""Load by sipp: one scenario at a fixed rate, and what came of it."""

import csv
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .processes import free_port

SCENARIOS = Path(__file__).with_name("scenarios")


@dataclass(frozen=True)
class Outcome:
    """What sipp counted."""

    done: int
    failed: int
    retransmitted: int
    seconds: float

    @property
    def rate(self):
        return self.done / self.seconds if self.seconds else 0.0


class Sipp:
    """One sipp process; it ends by itself after `count` runs of the scenario."""

    def __init__(self, folder, name, target, *, rate=None, count=None, fields=(), auth_uri=None, port=None, patience=120):
        self.folder = Path(folder) / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.port = port or free_port()
        command = ["sipp", target, "-sf", SCENARIOS / f"{name}.xml", "-i", "127.0.0.1", "-p", self.port, "-nostdin",
                   "-trace_stat", "-stf", self.folder / "stat.csv", "-fd", "600", "-trace_err", "-error_file", self.folder / "errors.log",
                   "-buff_size", "4194304", "-timeout", patience, "-timeout_error", "-l", "200000", "-max_socket", "60000"]
        if fields:
            listed = self.folder / "fields.csv"
            listed.write_text("SEQUENTIAL\n" + "".join(line + "\n" for line in fields))
            command += ["-inf", listed]
        if rate:
            command += ["-r", rate]
        if count:
            command += ["-m", count]
        if auth_uri:
            command += ["-auth_uri", auth_uri]
        out = open(self.folder / "out.log", "wb")
        self.child = subprocess.Popen([str(part) for part in command], cwd=self.folder, stdout=out, stderr=out,
                                      stdin=subprocess.DEVNULL)

    def wait(self):
        """What came of it, once it has ended by itself; does not outlive who waits."""
        try:
            self.child.wait()
        finally:
            self._end()
        return self.outcome()

    def stop(self):
        self._end()
        return self.outcome()

    def _end(self):
        if self.child.poll() is None:
            self.child.terminate()
        self.child.wait()

    def outcome(self):
        rows = list(csv.DictReader(open(self.folder / "stat.csv"), delimiter=";"))
        if not rows:
            raise RuntimeError(f"sipp did not run: see {self.folder}")
        last = rows[-1]
        hours, minutes, seconds = last["ElapsedTime(C)"].split(":")[:3]
        return Outcome(int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"]), int(last["Retransmissions(C)"]),
                       int(hours) * 3600 + int(minutes) * 60 + float(seconds))
