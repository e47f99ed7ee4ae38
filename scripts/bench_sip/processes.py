"""What processes cost, in the kernel's own figures: CPU time and memory of a server with everything it has started."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cpu:
    """CPU time in seconds; user and system are counted in ticks, the total to the nanosecond where the kernel tells it.

    A tick is half a microsecond for each of 20,000 requests."""

    user: float
    system: float
    # Of each thread, in nanoseconds.
    threads: dict

    @property
    def total(self):
        return sum(self.threads.values()) / 1e9 if self.threads else self.user + self.system

    def __sub__(self, earlier):
        threads = {}
        # What a thread did that is gone is known in ticks alone.
        if self.threads and earlier.threads.keys() <= self.threads.keys():
            threads = {thread: ran - earlier.threads.get(thread, 0) for thread, ran in self.threads.items()}
        return Cpu(self.user - earlier.user, self.system - earlier.system, threads)


class Process:
    """A program we have started, with its children."""

    def __init__(self, command, log, environment=None, stdin=subprocess.DEVNULL, stdout=None):
        self.command = [str(part) for part in command]
        self.log = Path(log)
        with open(self.log, "ab") as out:
            self.child = subprocess.Popen(self.command, stdout=stdout or out, stderr=out, stdin=stdin,
                                          env={**os.environ, **(environment or {})}, start_new_session=True)

    @property
    def pid(self):
        return self.child.pid

    def tree(self):
        """This process and all below it."""
        children = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                fields = _stat(int(entry.name))
                if fields:
                    children.setdefault(int(fields[1]), []).append(int(entry.name))
        found, waiting = [], [self.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            waiting.extend(children.get(pid, []))
        return found

    def cpu(self):
        """CPU time of all threads of all processes until now."""
        tree = self.tree()
        stats = [fields for pid in tree if (fields := _stat(pid))]
        threads = {thread: ran for pid in tree for thread, ran in _ran(pid)}
        return Cpu(sum(int(f[11]) for f in stats) * TICK, sum(int(f[12]) for f in stats) * TICK, threads)

    def pss(self):
        """Memory in bytes; what processes share is counted once."""
        return sum(_kilobytes(pid, "smaps_rollup", "Pss:") for pid in self.tree()) * 1024

    def rss(self):
        """Memory in bytes that is in RAM, as `ps` counts it: what processes share counts for each."""
        return sum(_kilobytes(pid, "status", "VmRSS:") for pid in self.tree()) * 1024

    def is_alive(self):
        return self.child.poll() is None

    def kill(self):
        """As a power cut would."""
        for pid in self.tree():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.child.wait()

    def stop(self, patience=15):
        if self.is_alive():
            self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()


def _stat(pid):
    """The fields of /proc/PID/stat behind the command's name, the first of them the state."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _ran(pid):
    """How long each thread of a process has run, in nanoseconds, as the scheduler counts it."""
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            yield task.name, int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass


def _kilobytes(pid, file, key):
    try:
        for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(key):
                return int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        pass
    return 0


def unwind_when_terminated():
    """Has SIGTERM end this program like an error, so that it ends what it has started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def free_port():
    """A port on 127.0.0.1 that was free a moment ago on UDP and TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            port = udp.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
                try:
                    tcp.bind(("127.0.0.1", port))
                    return port
                except OSError:
                    continue


def wait_until(is_so, what, patience=30):
    """Looks every 20 ms; `what` names it in the error."""
    end = time.monotonic() + patience
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {patience} s")
        time.sleep(0.02)


def answers_options(process, port, host="127.0.0.1"):
    """Whether a SIP server answers on UDP, whatever it says."""
    if not process.is_alive():
        raise RuntimeError(f"{process.command[0]} has ended: see {process.log}")
    request = (f"OPTIONS sip:{host}:{port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKprobe{time.monotonic_ns()};rport\r\n"
               f"Max-Forwards: 70\r\nFrom: <sip:probe@{host}>;tag=p\r\nTo: <sip:{host}>\r\nCall-ID: {time.monotonic_ns()}\r\n"
               "CSeq: 1 OPTIONS\r\nUser-Agent: Load, which asks whether somebody is there and needs some length for an answer\r\n"
               "Content-Length: 0\r\n\r\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(0.3)
        udp.sendto(request.encode(), (host, port))
        try:
            return udp.recv(65_535).startswith(b"SIP/2.0")
        except (TimeoutError, ConnectionRefusedError):
            return False
