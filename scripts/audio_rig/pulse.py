"""Sound cards without hardware: a PulseAudio daemon of our own.

One null sink, `wire`, has two channels for each phone: what its microphone hears and what its loudspeaker says. So one recording of
`wire` holds both ends of a call on one clock, to the sample. For each phone there are

    x_air   sink     speech played here is said into the room
    x_mic   source   the phone's microphone: what is said into the room
    x_spk   sink     the phone's loudspeaker
    x_ear   source   what comes out of it

With `clock_ppm` the daemon's clock runs that much faster than everybody else's (libfaketime), and with it all its cards, as the crystal
of a real card does: a phone gets and has to give that many more samples in a second.
"""

import os
import select
import subprocess
import time
from pathlib import Path

import numpy as np

from bench_sip.processes import Process, wait_until

RATE = 48_000
# Above the phones (2) and the network (3): what hears and speaks must never be what is late. The daemon's audio thread is one above.
PRIORITY = 4
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


class Sound:
    def __init__(self, folder, phones=("a", "b"), clock_ppm=0.0, realtime=True):
        self.folder, self.phones, self.clock_ppm = Path(folder), tuple(phones), clock_ppm
        # Begins the commands of the rig's own programs.
        self.priority = ["chrt", "-r", str(PRIORITY)] if realtime else []
        self.channels = 2 * len(self.phones)
        self._runtime, self._state = self.folder / "run", self.folder / "state"
        self._daemon = None
        # What a program needs to find this daemon and no other.
        self.environment = {
            "PULSE_SERVER": f"unix:{self._runtime}/native", "PULSE_CLIENTCONFIG": str(self.folder / "client.conf"),
            "PULSE_RUNTIME_PATH": str(self._runtime), "PULSE_STATE_PATH": str(self._state), "XDG_RUNTIME_DIR": str(self._runtime),
            "PULSE_COOKIE": str(self.folder / "cookie"), "ALSA_CONFIG_PATH": str(self.folder / "asound.conf")}

    def start(self):
        for folder in (self._runtime, self._state):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Asked of nobody, but a client without one of this length is turned away.
        (self.folder / "cookie").write_bytes(os.urandom(256))
        self._write_configuration()
        environment = {**self.environment, **clock(self.clock_ppm), "PULSE_CONFIG": str(self.folder / "daemon.conf")}
        log = self.folder / "pulseaudio.log"
        command = [*self.priority, "pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--disallow-exit", "--exit-idle-time=-1",
                   "--log-target=stderr", "--log-level=notice", "-F", self.folder / "wire.pa"]
        self._daemon = Process(command, log, environment)
        wait_until(self._answers, f"PulseAudio serves (see {log})", 10)

    def stop(self):
        if self._daemon:
            self._daemon.stop()
            self._daemon = None

    def play(self, sink, path):
        """Plays a WAV file to its end; the program that does."""
        return self._program("paplay", f"--device={sink}", "--latency-msec=500", path)

    def record(self, path, source="wire.monitor", channels=None):
        """Records what comes out of a source as plain 16-bit samples until the program is stopped."""
        channels = channels or self.channels
        form = [f"--device={source}", "--raw", "--format=s16le", f"--rate={RATE}", f"--channels={channels}", "--latency-msec=20"]
        if channels > 1:
            form.append(f"--channel-map={_aux(range(channels))}")
        return self._program("parec", *form, path)

    def channel(self, device):
        """The channel of `wire` that a device is."""
        phone, kind = device.split("_")
        return 2 * self.phones.index(phone) + {"air": 0, "mic": 0, "spk": 1, "ear": 1}[kind]

    def _program(self, *command):
        return Process([*self.priority, *command], self.folder / f"{command[0]}.log", self.environment)

    def _answers(self):
        if not self._daemon.is_alive():
            raise RuntimeError(f"PulseAudio has ended: see {self._daemon.log}")
        asked = subprocess.run(["pactl", "info"], env={**os.environ, **self.environment}, capture_output=True)
        return asked.returncode == 0

    def _write_configuration(self):
        modules = [f"module-native-protocol-unix auth-anonymous=1 auth-cookie-enabled=0 socket={self._runtime}/native",
                   # Without norewinds an idle null sink sleeps for two seconds, and streams begin late and torn.
                   f"module-null-sink sink_name=wire rate={RATE} channels={self.channels} norewinds=1 "
                   f"channel_map={_aux(range(self.channels))} sink_properties=device.description=wire"]
        alsa = ["</usr/share/alsa/alsa.conf>"]
        for phone in self.phones:
            for kind, name in (("air", "room"), ("mic", "microphone"), ("spk", "loudspeaker"), ("ear", "ear")):
                device = f"{phone}_{kind}"
                what, master = ("sink", "wire") if kind in ("air", "spk") else ("source", "wire.monitor")
                modules.append(f"module-remap-{what} {what}_name={device} master={master} channels=1 channel_map=mono remix=no "
                               f"master_channel_map={_aux([self.channel(device)])} {what}_properties=device.description={phone}_{name}")
                alsa.append(f"pcm.{device} {{ type pulse device {device} hint {{ show on description \"{device}\" }} }}")
        loads = [f"load-module {module}" for module in modules]
        loads += [f"set-default-sink {self.phones[0]}_spk", f"set-default-source {self.phones[0]}_mic"]
        daemon = {"default-sample-format": "s16le", "default-sample-rate": RATE, "alternate-sample-rate": RATE,
                  "resample-method": "speex-float-5", "flat-volumes": "no", "realtime-scheduling": "yes", "realtime-priority": 5,
                  "high-priority": "yes", "enable-shm": "no"}
        files = {"wire.pa": loads, "asound.conf": alsa, "client.conf": ["autospawn = no", "enable-shm = no"],
                 "daemon.conf": [f"{key} = {value}" for key, value in daemon.items()]}
        for name, lines in files.items():
            (self.folder / name).write_text("\n".join(lines) + "\n")


def _aux(channels):
    return ",".join(f"aux{channel}" for channel in channels)


def clock(ppm):
    """What a program's environment must say for its clock to run that much faster."""
    if not ppm:
        return {}
    if not FAKETIME.exists():
        raise RuntimeError(f"{FAKETIME} is missing: run scripts/setup")
    return {"LD_PRELOAD": str(FAKETIME), "FAKETIME": f"+0 x{1 + ppm / 1e6:.6f}"}


def samples_per_second(sounds, seconds):
    """How fast the cards of each daemon are, by everybody else's clock: samples against the time of their arrival."""
    pipes = [subprocess.Popen([*sound.priority, "parec", "--device=wire.monitor", "--raw", "--format=s16le", f"--rate={RATE}", "--channels=1",
                               "--latency-msec=10"], env={**os.environ, **sound.environment}, stdout=subprocess.PIPE) for sound in sounds]
    try:
        return [_rate(arrivals) for arrivals in _arrivals([pipe.stdout for pipe in pipes], seconds)]
    finally:
        for pipe in pipes:
            pipe.terminate()
            pipe.communicate()


def _arrivals(streams, seconds):
    """For each stream rows of time and of samples until then; without its beginning, which comes in a hurry."""
    counts, rows = [0] * len(streams), [[] for _ in streams]
    begin = time.monotonic() + 3.0
    while (now := time.monotonic()) < begin + seconds:
        for stream in select.select(streams, [], [], 0.1)[0]:
            index = streams.index(stream)
            counts[index] += len(os.read(stream.fileno(), 65_536)) // 2
            if now > begin:
                rows[index].append((now - begin, counts[index]))
    return [np.array(each) for each in rows]


def _rate(arrivals):
    """Samples in a second, from the first to the last quarter. A busy machine makes samples late, never early: the earliest count."""
    times, samples = arrivals.T
    ahead = samples - RATE * times
    quarter = times[-1] / 4
    first, last = np.quantile(ahead[times < quarter], 0.98), np.quantile(ahead[times > 3 * quarter], 0.98)
    return float(RATE + (last - first) / (3 * quarter))
