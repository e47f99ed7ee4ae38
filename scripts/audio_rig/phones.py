"""The phones, driven through what each offers for that, so that none waits for a program to start.

A phone is one class with `start`, `is_registered`, `call`, `is_ringing`, `answer`, `hang_up` and `stop`. All keep their own defaults,
but for what a `Phone` says: one codec, no echo canceller (there is no echo), no video, and forward error correction where the network
loses and the phone cannot find out by itself.
"""

import json
import re
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench_sip.processes import Process

from .server import DOMAIN, USERS

# Below the audio thread of the sound system (5) and the network (3).
PRIORITY = 2
SIP_PORT, CONTROL_PORT = 5070, 4444
MEDIA_PORTS = (20_000, 20_999)


@dataclass(frozen=True)
class Place:
    """Where a phone stands."""

    side: int
    network: object
    sound: object
    server: object
    folder: Path
    realtime: bool
    # `opus` or `pcma`.
    codec: str
    # Whether media packets are lost here.
    lossy: bool

    @property
    def address(self):
        return self.network.addresses[self.side]

    @property
    def microphone(self):
        return f"{self.letter}_mic"

    @property
    def loudspeaker(self):
        return f"{self.letter}_spk"

    @property
    def letter(self):
        return "ab"[self.side]


class Phone:
    """What phones have in common."""

    kind = "peer"  # whose accounts it uses
    program = ""

    def __init__(self, place):
        self.place, self.process = place, None
        self.user = USERS[self.kind][place.side]
        self.folder = place.folder / f"{type(self).__name__.lower()}-{place.letter}"
        self.log = self.folder / "log"

    @classmethod
    def missing(cls):
        """Why it cannot be measured here; None if it can."""
        return None if shutil.which(cls.program) else f"{cls.program} is not installed: run scripts/setup"

    def run(self, *command, stdin=subprocess.DEVNULL):
        self.folder.mkdir(parents=True, exist_ok=True)
        # One priority for all: linphonec would take the highest there is if it might.
        priority = ["chrt", "-r", str(PRIORITY), "setpriv", "--bounding-set", "-sys_nice"] if self.place.realtime else []
        environment = {**self.place.sound.environment, "HOME": str(self.folder)}
        with self.place.network.inside(self.place.side):
            self.process = Process([*priority, *command], self.log, environment, stdin)

    def said(self):
        if not self.process.is_alive():
            raise RuntimeError(f"{type(self).__name__} has ended: see {self.log}")
        return self.log.read_text(errors="replace")

    def problems(self):
        """What it says is wrong with its sound."""
        return []

    def stop(self):
        if self.process:
            self.process.stop(5)


class Softphone(Phone):
    """Ours, over its control socket."""

    kind = "device"
    title = "Tandem"
    # As the others are: nothing is done to the microphone's sound. Ringing would be on the recording.
    options = ("--tones", "none", "--echo-cancellation", "off", "--noise-suppression", "off", "--gain-control", "off")

    def __init__(self, place):
        super().__init__(place)
        self._control, self._unread, self._requests = None, b"", 0

    @classmethod
    def missing(cls):
        return None  # without it there is nothing to measure, and it is built

    def start(self):
        # The socket is in the profile, and a socket's path is short.
        self._profile = self.place.server.profile(self.place.side)
        self.run(self.place.server.softphone, "--profile", self._profile, "--secret-store", "file", "run", "--headless",
                 "--codecs", self.place.codec, "--input", f"pulseaudio:{self.place.microphone}",
                 "--play-device", f"pulseaudio:{self.place.loudspeaker}", *self.options)

    def is_registered(self):
        lines = self._state().get("lines", [])
        return bool(lines) and all(line["state"] == "connected" for line in lines)

    def call(self, user):
        self._ask({"type": "call", "number": user})

    def is_ringing(self):
        return any("answer" in call["actions"] for call in self._state()["calls"])

    def answer(self):
        return self._ask({"type": "answer"})

    def hang_up(self):
        self._ask({"type": "hang-up"})

    def problems(self):
        return [call["problem"] for call in self._state()["calls"] if call.get("problem")]

    def stop(self):
        if self._control:
            with suppress(OSError, RuntimeError):
                self._ask({"type": "stop"})
            self._control.close()
        super().stop()

    def _state(self):
        if not self._control:
            self.said()
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(self._profile / "control.sock"))
            except OSError:
                connection.close()
                return {}
            connection.settimeout(10)
            self._control = connection
        self._ask({"type": "status"})
        while "state" not in (line := self._line()):
            pass
        return line["state"]

    def _ask(self, command):
        """Carries a command out; when it was said."""
        self._requests += 1
        said = time.monotonic()
        self._control.sendall(json.dumps({"id": self._requests, "command": command}).encode() + b"\n")
        while (line := self._line()).get("id") != self._requests:
            pass
        if "failed" in line:
            raise RuntimeError(f"softphone {command['type']}: {line['failed']['message']}")
        return said

    def _line(self):
        while b"\n" not in self._unread:
            read = self._control.recv(65_536)
            if not read:
                raise RuntimeError(f"the softphone has ended: see {self.log}")
            self._unread += read
        line, _, self._unread = self._unread.partition(b"\n")
        return json.loads(line)


class ProcessedSoftphone(Softphone):
    """Ours as people use it: with echo cancellation, noise suppression and gain control."""

    title = "Tandem, all processing"
    options = ("--tones", "none", "--echo-cancellation", "on")


class Baresip(Phone):
    """baresip, over its control connection: netstrings with JSON inside."""

    program = title = "baresip"

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        place = self.place
        modules = "".join(f"module {name}.so\n" for name in ("alsa", "opus", "g711"))
        fec = "opus_inbandfec yes\nopus_packet_loss 10\n" if place.lossy else ""
        (self.folder / "config").write_text(
            f"sip_listen {place.address}:{SIP_PORT}\nnet_interface {place.address}\nrtp_ports {MEDIA_PORTS[0]}-{MEDIA_PORTS[1]}\n"
            f"audio_source alsa,{place.microphone}\naudio_player alsa,{place.loudspeaker}\naudio_alert alsa,nothing\n"
            f"opus_bitrate 24000\nopus_stereo no\nopus_sprop_stereo no\n{fec}module_path /usr/lib/baresip/modules\n{modules}"
            f"module_app account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{CONTROL_PORT}\n")
        codec = {"opus": "opus/48000/1", "pcma": "PCMA/8000/1"}[place.codec]
        (self.folder / "accounts").write_text(
            f"<sip:{self.user}@{DOMAIN}>;auth_user={self.user};auth_pass={place.server.password};"
            f'outbound="sip:{place.server.address};lr";audio_codecs={codec};regint=600\n')
        self.run("baresip", "-s", "-f", self.folder)

    def is_registered(self):
        return bool(re.search(r"SIP/2\.0 200 OK\r?\n(?:[^\r\n]+\r?\n)*?CSeq: \d+ REGISTER", self.said()))

    def call(self, user):
        self._command("dial", f"sip:{user}@{DOMAIN}")

    def is_ringing(self):
        return "SIP/2.0 180 " in self.said()

    def answer(self):
        return self._command("accept")

    def hang_up(self):
        self._command("hangup")

    def _command(self, name, parameters=""):
        with self.place.network.inside(self.place.side):
            control = socket.create_connection(("127.0.0.1", CONTROL_PORT), 5)
        with control:
            text = json.dumps({"command": name, "params": parameters})
            said = time.monotonic()
            control.sendall(f"{len(text)}:{text},".encode())
            control.recv(4_096)
        return said


class Linphonec(Phone):
    """linphonec, typed at."""

    program, title = "linphonec", "Linphone"

    def start(self):
        (self.folder / ".local/share/linphone").mkdir(parents=True, exist_ok=True)  # it does not make it itself
        place = self.place
        codecs = "".join(f"[audio_codec_{index}]\nmime={name}\nrate={rate}\nenabled={int(name.lower() == place.codec)}\n"
                         for index, (name, rate) in enumerate((("opus", 48_000), ("PCMA", 8_000), ("PCMU", 8_000), ("speex", 16_000))))
        (self.folder / "rc").write_text(
            f"[sip]\nsip_port={SIP_PORT}\nsip_tcp_port=0\nsip_tls_port=0\ndefault_proxy=0\nuse_ipv6=0\nregister_only_when_network_is_up=0\n"
            f"[rtp]\naudio_rtp_port={MEDIA_PORTS[0]}\n[video]\nenabled=0\ncapture=0\ndisplay=0\n"
            f"[sound]\ncapture_dev_id=PulseAudio: {place.letter}_microphone\nplayback_dev_id=PulseAudio: {place.letter}_loudspeaker\n"
            "ringer_dev_id=\nechocancellation=0\necholimiter=0\nagc=0\nremote_ring=\nlocal_ring=\n"
            f"[proxy_0]\nreg_proxy=<sip:{place.server.address}>\nreg_route=<sip:{place.server.address};lr>\n"
            f"reg_identity=sip:{self.user}@{DOMAIN}\nreg_expires=600\nreg_sendregister=1\npublish=0\n"
            f"[auth_info_0]\nusername={self.user}\npasswd={place.server.password}\nrealm={DOMAIN}\ndomain={DOMAIN}\n{codecs}")
        self.run("linphonec", "-c", self.folder / "rc", "-d", "6", "-l", self.folder / "linphone.log", stdin=subprocess.PIPE)

    def is_registered(self):
        return self._has_entered("[LinphoneRegistrationOk]")

    def call(self, user):
        self._type(f"call sip:{user}@{DOMAIN}")

    def is_ringing(self):
        return self._has_entered("LinphoneCallIncomingReceived")

    def answer(self):
        return self._type("answer")

    def hang_up(self):
        self._type("terminate")

    def stop(self):
        if self.process and self.process.is_alive():
            with suppress(BrokenPipeError):
                self._type("quit")
        super().stop()

    def _type(self, line):
        said = time.monotonic()
        self.process.child.stdin.write(f"{line}\n".encode())
        self.process.child.stdin.flush()
        return said

    def _has_entered(self, state):
        self.said()
        log = self.folder / "linphone.log"
        return log.exists() and f"to {state}" in log.read_text(errors="replace")


PHONES = {"tandem": Softphone, "processed": ProcessedSoftphone, "baresip": Baresip, "linphonec": Linphonec}
