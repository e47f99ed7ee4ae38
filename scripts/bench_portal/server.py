"""`tandem serve` with somebody signed in, for the load of `bench portal`."""

import re
import secrets
import shutil
from pathlib import Path

from bench_sip.processes import wait_until
from bench_sip.tandem import Tandem
from portal_client import Portal


class Server(Tandem):
    PASSWORD = "secret-of-all"

    def __init__(self, program, folder, database_url=None):
        super().__init__(program, folder, self.PASSWORD, [])
        self.more = ""
        self.database_url = database_url
        self.credentials = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http}"

    @property
    def database(self):
        return self.database_url or f"sqlite:{self.folder / 'data' / 'tandem.db'}"

    def prepare(self):
        """A new data directory, and the first administrator with a password of their own."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.start()
        log = Path(self.folder) / "tandem.log"
        said = re.compile(r"First administrator: ([^,]+),.* (\S+)$", re.M)
        wait_until(lambda: said.search(log.read_text()), "the first administrator")
        email, once = said.search(log.read_text()).groups()
        password = secrets.token_urlsafe(24)
        portal = Portal(self.url)
        portal.post("/session", {"email": email, "password": once})
        portal.put("/session/password", {"current": once, "new": password})
        self.credentials = {"email": email, "password": password}
        self.tenant = self.sign_in()[1]

    def sign_in(self):
        """A client that is signed in, the tenant's key, and the session's cookie."""
        portal = Portal(self.url)
        portal.post("/session", self.credentials)
        cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in portal.cookies)
        return portal, portal.get("/session")["tenants"][0]["id"], cookie

    def start(self):
        super().start()
        log = Path(self.folder) / "tandem.log"
        wait_until(lambda: f"Portal: {self.url}" in log.read_text(), "the portal")

    def _command_line(self):
        return ["--database-url", self.database_url] if self.database_url else []

    def peak(self):
        """The most memory in RAM since the start, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) * 1024
