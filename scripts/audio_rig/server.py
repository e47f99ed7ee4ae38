"""`tandem serve` on side a, the registrar of all phones, and accounts and activated devices on it.

The portal listens on loopback, where the phone accepts it without TLS. Side b reaches it through a tunnel inside this program: only
telephony is to go over the network that is measured.
"""

import secrets
import socket
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

from bench_sip.processes import Process, answers_options, wait_until
from portal_client import Portal

BASE_DOMAIN = "sound.example"
TENANT = "rig"
DOMAIN = f"{TENANT}.{BASE_DOMAIN}"
SIP_PORT, HTTP_PORT = 5060, 8080
# Accounts of the phones of others, by side, and of ours: a device's password is its own.
USERS = {"peer": ("1001", "1002"), "device": ("2001", "2002")}


class Server:
    def __init__(self, network, programs, folder, prefix=()):
        self.network, self.folder, self.prefix = network, Path(folder), tuple(prefix)
        self.tandem, self.softphone = (Path(programs) / name for name in ("tandem", "softphone"))
        self.password = secrets.token_urlsafe(18)
        self.address = f"{network.addresses[0]}:{SIP_PORT}"
        self._process = self._tunnel = None

    def start(self):
        """Serves, with all accounts, and both of our phones activated."""
        self.folder.mkdir(parents=True)
        config = self.folder / "tandem.toml"
        config.write_text(f'[http]\nlisten = "127.0.0.1:{HTTP_PORT}"\n[sip]\nlisten = "{self.address}"\nbase_domain = "{BASE_DOMAIN}"\n')
        with self.network.inside(0):
            self._process = Process([*self.prefix, self.tandem, "serve", "--config", config, "--data-dir", self.folder / "data"],
                                    self.folder / "tandem.log", {"TANDEM_LOG": "warn"})
            wait_until(lambda: answers_options(self._process, SIP_PORT, self.network.addresses[0]),
                       f"tandem serves (see {self.folder}/tandem.log)")
        self._tunnel = Tunnel(self.network)
        with self.network.inside(0):
            codes = self._invitations()
        self._import_accounts()
        for side, code in enumerate(codes):
            with self.network.inside(side):
                self._run(self.softphone, "--profile", self.profile(side), "--secret-store", "file", "activate",
                          "--portal", f"http://127.0.0.1:{HTTP_PORT}", "--code", code)

    def profile(self, side):
        """The identity of our phone on that side."""
        return self.folder / f"phone-{'ab'[side]}"

    def stop(self):
        if self._tunnel:
            self._tunnel.stop()
        if self._process:
            self._process.stop()

    def _import_accounts(self):
        listed = self.folder / "accounts.csv"
        listed.write_text("".join(f"{user},{self.password}\n" for user in USERS["peer"]))
        self._run(self.tandem, "account", "import", "--data-dir", self.folder / "data", "--tenant", TENANT, listed)
        listed.unlink()

    def _invitations(self):
        """The typed code of a new device for each side, as an administrator makes them in the portal."""
        email, password = "rig@localhost", secrets.token_urlsafe(24)
        made = self._run(self.tandem, "user", "add", "--data-dir", self.folder / "data", "--email", email, "--first-name", "Sound",
                         "--last-name", "Rig", "--installation-administrator")
        portal = Portal(f"http://127.0.0.1:{HTTP_PORT}")
        once = made.split()[-1]
        portal.post("/session", {"email": email, "password": once})
        portal.put("/session/password", {"current": once, "new": password})
        portal.post("/session", {"email": email, "password": password})
        tenant = f"/tenants/{portal.post('/tenants', {'name': 'Rig', 'slug': TENANT, 'demonstration': True})['id']}"
        provider = next(p for p in portal.get(f"{tenant}/providers")["items"] if p["own"])
        return [self._invitation(portal, tenant, provider, user) for user in USERS["device"]]

    def _invitation(self, portal, tenant, provider, user):
        account = portal.post(f"{tenant}/accounts", {"provider_id": provider["id"], "name": user, "username": user, "display_name": user})
        contact = portal.post(f"{tenant}/contacts", {
            "first_name": "Phone", "last_name": user, "company": "Rig", "numbers": [],
            "emails": [{"address": f"{user}@{DOMAIN}", "label": "work"}]})
        device = portal.post(f"{tenant}/devices", {"name": user, "contact_id": contact["id"], "account_ids": [account["id"]]})
        path = f"{tenant}/devices/{device['id']}/activation"
        activation = portal.get(path)
        return (activation if activation["state"] == "open" else portal.post(path))["code"]

    def _run(self, *command):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(f"{Path(command[0]).name} {command[1]}: {(done.stderr or done.stdout).strip()}")
        return done.stdout


class Tunnel:
    """What comes to the portal's port on side b goes to that of side a, through neither's network."""

    def __init__(self, network):
        self.network = network
        with network.inside(1):
            self._listener = socket.create_server(("127.0.0.1", HTTP_PORT))
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                with self.network.inside(0):
                    far = socket.create_connection(("127.0.0.1", HTTP_PORT))
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_pour, args=(one, other), daemon=True).start()


def _pour(one, other):
    """Until it ends, or either side is gone."""
    with suppress(OSError):
        while data := one.recv(65_536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
