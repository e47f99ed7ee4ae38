"""The two relays: ours as a program of its own, rtpengine from the Debian package, controlled over its `ng` protocol."""

import base64
import json
import re
import socket
import subprocess
import time
import uuid

from bench_sip.processes import Process, free_port, wait_until


KEY_OF_CALLERS = base64.b64encode(bytes([7] * 30)).decode()  # as the voices have it


class Ours:
    name = "Tandem"
    is_secured = False

    def __init__(self, generator, folder, *switches):
        self.command = [generator, "relay", *(f"--{switch}" for switch in switches)]
        self.log = folder / f"{'-'.join(['tandem', *switches])}.log"
        self.process = None

    def start(self):
        self.process = Process(self.command, self.log, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def connect(self, calls):
        """Where caller and callee of each call are to send to."""
        return self._ask(json.dumps(calls))

    def end_all(self):
        return self._ask("")

    def _ask(self, line):
        child = self.process.child
        child.stdin.write(line.encode() + b"\n")
        child.stdin.flush()
        answer = child.stdout.readline()
        if not answer:
            raise RuntimeError(f"the relay has ended: see {self.log}")
        return json.loads(answer)

    def stop(self):
        if self.process:
            self.process.child.stdin.close()
            self.process.stop()


class Rtpengine:
    name = "rtpengine"
    is_secured = False
    ports = (34_000, 60_000)  # apart from those of ours

    def __init__(self, folder, threads=None):
        self.folder, self.threads = folder, threads
        self.port = free_port()
        self.process = None
        self.calls = []

    def start(self):
        first, last = self.ports
        threads = [f"--num-threads={self.threads}"] if self.threads else []
        self.process = Process(["rtpengine", "--config-file=none", "--foreground", "--log-stderr", "--log-level=4", "--table=-1", "--interface=127.0.0.1",
                                f"--listen-ng=127.0.0.1:{self.port}", f"--port-min={first}", f"--port-max={last}", "--delete-delay=0", *threads],
                               self.folder / "rtpengine.log")
        self.control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.control.settimeout(2)
        self.control.connect(("127.0.0.1", self.port))
        wait_until(self._answers, f"rtpengine serves (see {self.folder}/rtpengine.log)")

    def _answers(self):
        if not self.process.is_alive():
            raise RuntimeError("rtpengine has ended")
        try:
            return self.ask(command="ping").get("result") == "pong"
        except OSError:
            time.sleep(0.05)
            return False

    def ask(self, **fields):
        cookie = uuid.uuid4().hex
        self.control.send(cookie.encode() + b" " + encode(fields))
        while True:
            answered, _, answer = self.control.recv(65_535).partition(b" ")
            if answered.decode() == cookie:
                return decode(answer)[0]

    def connect(self, calls, is_secured=False):
        places = []
        key = KEY_OF_CALLERS if is_secured else None
        plain = {"transport-protocol": "RTP/AVP"} if is_secured else {}
        for caller, callee in calls:
            call = {"call-id": uuid.uuid4().hex, "from-tag": "caller", "replace": ["origin", "session-connection"], "ICE": "remove",
                    "flags": ["trust-address"]}
            to_callee = self.ask(command="offer", sdp=description(caller, key), **plain, **call)
            to_caller = self.ask(command="answer", sdp=description(callee), **{"to-tag": "callee"}, **call)
            self.calls.append(call["call-id"])
            # What the callee is offered is where the callee sends to, and the reverse.
            places.append([media(to_caller), media(to_callee)])
        return places

    def end_all(self):
        for call in self.calls:
            self.ask(command="delete", **{"call-id": call, "from-tag": "caller"})
        self.calls = []

    def stop(self):
        if self.process:
            self.process.stop()


class Secured:
    """The same rtpengine with other calls: callers have SRTP by SDES, callees have not."""

    name = "rtpengine, secured"
    is_secured = True

    def __init__(self, plain):
        self.plain = plain

    @property
    def process(self):
        return self.plain.process

    def start(self):
        if not self.plain.process:
            self.plain.start()

    def connect(self, calls):
        return self.plain.connect(calls, is_secured=True)

    def end_all(self):
        self.plain.end_all()

    def stop(self):
        """Its owner does that."""


def description(address, key=None):
    host, _, port = address.rpartition(":")
    profile, crypto = ("RTP/SAVP", f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}\r\n") if key else ("RTP/AVP", "")
    return (f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} {profile} 0\r\na=rtpmap:0 PCMU/8000\r\n{crypto}a=sendrecv\r\n")


def media(answer):
    if answer.get("result") != "ok":
        raise RuntimeError(f"rtpengine refuses: {answer}")
    host = re.search(r"^c=IN IP4 (\S+)", answer["sdp"], re.MULTILINE).group(1)
    port = re.search(r"^m=audio (\d+)", answer["sdp"], re.MULTILINE).group(1)
    return f"{host}:{port}"


def encode(value):
    """Bencoding."""
    if isinstance(value, dict):
        return b"d" + b"".join(encode(key) + encode(value[key]) for key in sorted(value)) + b"e"
    if isinstance(value, list):
        return b"l" + b"".join(map(encode, value)) + b"e"
    if isinstance(value, int):
        return b"i%de" % value
    return b"%d:%s" % (len(value.encode()), value.encode())


def decode(text):
    """A value and what follows it."""
    kind = text[:1]
    if kind == b"i":
        number, _, rest = text[1:].partition(b"e")
        return int(number), rest
    if kind in (b"d", b"l"):
        items, rest = [], text[1:]
        while rest[:1] != b"e":
            item, rest = decode(rest)
            items.append(item)
        return (dict(zip(items[::2], items[1::2])) if kind == b"d" else items), rest[1:]
    length, _, rest = text.partition(b":")
    return rest[:int(length)].decode(errors="replace"), rest[int(length):]
