"""Kamailio from the Debian package, with a configuration of ours."""

import shutil
from pathlib import Path

from .processes import Process, answers_options, free_port, wait_until

MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules"
TEMPLATE = Path(__file__).with_name("kamailio.cfg")


class Kamailio:
    name = "Kamailio"
    domain = "bench.example"

    def __init__(self, folder, password, workers=1, digest=True, certificate=None):
        self.folder, self.password = Path(folder), password
        self.workers, self.digest, self.certificate = workers, digest, certificate
        self.port = free_port()
        self.tls_port = free_port()
        self.process = None

    def start(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "run").mkdir(parents=True)
        address = f"127.0.0.1:{self.port}"
        streams = [f"listen=tcp:{address}", "tcp_children=1", "tcp_max_connections=20000", "tcp_connection_lifetime=600"]
        tls = []
        if self.certificate:
            streams += [f"listen=tls:127.0.0.1:{self.tls_port}", "enable_tls=yes", "tls_max_connections=20000"]
            certificate, key = self.certificate["certificate"], self.certificate["key"]
            tls = ['loadmodule "tls.so"', f'modparam("tls", "certificate", "{certificate}")',
                   f'modparam("tls", "private_key", "{key}")', 'modparam("tls", "tls_method", "TLSv1.2+")',
                   'modparam("tls", "session_cache", 1)', 'modparam("tls", "connection_timeout", 600)']
        text = TEMPLATE.read_text()
        for key, value in {"WORKERS": self.workers, "ADDRESS": address, "STREAMS": "\n".join(streams), "MODULES": MODULES,
                           "PASSWORD": self.password, "TLS": "\n".join(tls)}.items():
            text = text.replace(f"@{key}@", str(value))
        config = self.folder / "kamailio.cfg"
        config.write_text(text)
        define = ["-A", "WITH_AUTH"] if self.digest else []
        self.process = Process(["kamailio", "-f", config, "-m", "1024", "-M", "16", "-x", "fm", "-DD", "-E", *define,
                                "-Y", self.folder / "run", "-w", self.folder], self.folder / "kamailio.log")
        wait_until(lambda: answers_options(self.process, self.port), f"Kamailio serves (see {self.folder}/kamailio.log)")

    def speaks_tls(self):
        return self.certificate is not None

    def stop(self):
        """May be said again, and to one that never started."""
        if self.process:
            self.process.stop()
