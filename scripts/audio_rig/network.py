"""Two network namespaces and the bad network between them, as a bench uses it; `emulator.py` is the process that carries the packets."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from .impairment import Impairment
from .namespace import inside

ADDRESSES = ("10.77.0.1", "10.77.0.2")
# Above the phones, so that it is the network that is measured and not who waits for a core.
PRIORITY = 3


class Network:
    """Side 0 and side 1, each a namespace of its own; named after this process, so that several benches do not meet."""

    addresses = ADDRESSES

    def __init__(self, realtime=True):
        self.names = [f"rig{os.getpid()}{side}" for side in "ab"]
        options = {"names": self.names, "addresses": ADDRESSES, "priority": PRIORITY if realtime else 0}
        self._child = subprocess.Popen([sys.executable, "-m", "audio_rig.emulator", json.dumps(options)], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True, start_new_session=True,
                                       env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)})
        self._told()

    def inside(self, side):
        """Context: this thread on that side."""
        return inside(self.names[side])

    def impair(self, impairment=Impairment(), seed=1):
        """From now on media meet this; counting begins anew."""
        self._ask({"set": asdict(impairment), "seed": seed})

    def seen(self):
        """What was counted and noted since then."""
        return Seen(self._ask({"tell": True}))

    def stop(self):
        self._child.stdin.close()
        self._child.wait(10)

    def _ask(self, order):
        self._child.stdin.write(json.dumps(order) + "\n")
        self._child.stdin.flush()
        return self._told()

    def _told(self):
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError("the network emulator has ended: namespaces and /dev/net/tun are needed, and root")
        return json.loads(line)


class Seen:
    """What went by, seen where packets leave their side."""

    def __init__(self, told):
        self.counts, self.latest_ms = told["counts"], told["latest_ms"]
        self._messages, self._first_rtp = told["messages"], told["first_rtp"]

    def answered_at(self):
        """When the first 200 to an INVITE left the called side; None before."""
        return next((m["at"] for m in self._messages if m["direction"] == "ba" and m["method"] == "INVITE"
                     and m["start"].startswith("SIP/2.0 200")), None)

    def first_rtp_at(self, direction):
        return self._first_rtp.get(direction)

    def loss_percent(self, direction):
        counts = self.counts[f"{direction} rtp"]
        return 100 * counts["lost"] / counts["seen"] if counts["seen"] else 0.0
