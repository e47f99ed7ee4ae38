"""`tandem serve` on a data directory of its own, with many accounts."""

import shutil
import subprocess
import time
from pathlib import Path

from .processes import Process, answers_options, free_port, wait_until

TENANT = "my-company"


class Tandem:
    name = "Tandem"
    domain = f"{TENANT}.bench.example"
    more = ""  # of the configuration

    def __init__(self, program, folder, password, users, certificates=None, registrar="durable", digest=True):
        self.program, self.folder, self.password, self.users = Path(program), Path(folder), password, users
        self.certificates, self.registrar, self.digest = certificates, registrar, digest
        self.port, self.http = free_port(), free_port()
        self.tls_port = free_port()
        self.process = None

    def prepare(self):
        """An empty data directory with the accounts in it; kept for the next start."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.start()  # the first start makes the database and the first tenant
        listed = self.folder / "accounts.csv"
        listed.write_text("".join(f"{user},{self.password}\n" for user in self.users))
        subprocess.run([self.program, "account", "import", "--data-dir", self.folder / "data", "--tenant", TENANT, listed],
                       check=True, stdout=subprocess.DEVNULL)
        self.stop()

    def start(self):
        config = self.folder / "tandem.toml"
        config.write_text(f'[sip]\nlisten = "127.0.0.1:{self.port}"\nbase_domain = "bench.example"\n'
                          f'registrar = "{self.registrar}"\n{self._trusted()}{self.more}' + self._tls())
        self.process = Process([self.program, "serve", "--config", config, "--data-dir", self.folder / "data",
                                "--http", f"127.0.0.1:{self.http}", *self._command_line()], self.folder / "tandem.log", {"TANDEM_LOG": "warn"})
        self.started = time.monotonic()
        wait_until(lambda: answers_options(self.process, self.port), f"Tandem serves (see {self.folder}/tandem.log)")

    def _command_line(self):
        return []

    def _trusted(self):
        """Whoever is on this machine needs no password where digest is off."""
        return "" if self.digest else 'trusted_networks = ["127.0.0.0/8"]\n'

    def _tls(self):
        if not self.certificates:
            return ""
        return (f'[sip.tls]\nlisten = ["127.0.0.1:{self.tls_port}"]\ncertificate = "{self.certificates["certificate"]}"\n'
                f'key = "{self.certificates["key"]}"\n')

    def speaks_tls(self):
        return self.certificates is not None

    def stop(self):
        """May be said again, and to one that never started."""
        if self.process:
            self.process.stop()
