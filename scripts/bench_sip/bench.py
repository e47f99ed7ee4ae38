"""One run of the comparison: the servers it needs, the rows it measures, the report it writes."""

import datetime
import json
import os
import platform
import shutil
import subprocess
import traceback
from pathlib import Path

from .kamailio import Kamailio
from .processes import free_port
from .rows import ROWS
from .tandem import Tandem

ROOT = Path(__file__).resolve().parent.parent.parent


class Bench:
    password = "secret-of-all"

    def __init__(self, options):
        self.quick, self.million = options.quick, options.million
        self.rounds = options.rounds or (3 if options.quick else 5)
        self.apart = options.apart
        self.seconds = 3 if options.quick else 5
        self.program, self.generator = Path(options.bin) / "tandem", Path(options.bin) / "bench"
        self.folder = ROOT / "var" / "bench-sip"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.users = [f"u{index:06}" for index in range(10_000)]
        self.certificates = make_certificates(self.folder)
        self.phones, self.callee = free_port(), free_port()
        self.memory = {}
        self.running = {}
        self.started = []  # all servers, also one that did not get so far as to serve
        self.results = {}

    def say(self, text):
        print(text, flush=True)

    # --- servers --------------------------------------------------------------------------------------------------

    def tandem(self, registrar="memory-first", digest=True):
        """A server that stays up for several rows."""
        return self._kept(f"tandem-{registrar}-{digest}", lambda: self._tandem(len(self.users), registrar, digest))

    def kamailio(self, workers=1, digest=True):
        return self._kept(f"kamailio-{workers}-{digest}", lambda: self._kamailio(workers, digest))

    def fresh_tandem(self, accounts, registrar="memory-first", digest=True):
        """A server of its own for one measurement, so that nothing before it has touched its memory; it ends with the row at the latest."""
        return self._tandem(accounts, registrar, digest)

    def fresh_kamailio(self, tls=False, digest=True):
        return self._kamailio(tls=tls, digest=digest)

    def _kept(self, name, make):
        if name not in self.running:
            self.running[name] = make()
        return self.running[name]

    def _tandem(self, accounts, registrar, digest=True):
        users = [f"u{index:06}" for index in range(max(accounts, 100))] + ["callee"]
        server = Tandem(self.program, self.folder / "tandem" / str(len(list(self.folder.glob("tandem/*")))), self.password, users,
                        self.certificates, registrar, digest)
        server.more = "segments = false\n" if self.apart else ""
        self.started.append(server)
        server.prepare()
        server.start()
        return server

    def _kamailio(self, workers=1, digest=True, tls=False):
        folder = self.folder / "kamailio" / str(len(list(self.folder.glob("kamailio/*"))))
        server = Kamailio(folder, self.password, workers, digest, self.certificates if tls else None)
        self.started.append(server)
        server.start()
        return server

    def stop(self):
        self.running.clear()
        self._stop_others()

    def _stop_others(self):
        """Ends what no later row uses, whatever the row has left behind."""
        kept = list(self.running.values())
        for server in self.started:
            if server not in kept:
                server.stop()
        self.started = kept

    # --- rows -----------------------------------------------------------------------------------------------------

    def run(self, names):
        try:
            for name, title, measure, must, moonshot in ROWS:
                if name not in names:
                    continue
                self.say(f"{title} …")
                try:
                    result = measure(self)
                except Exception as error:  # one row that cannot be measured must not take the others with it
                    traceback.print_exc()
                    self.results[name] = {"title": title, "failed": str(error), "must": must, "moonshot": moonshot, "pass": False}
                    continue
                finally:
                    self._stop_others()
                result.must, result.moonshot = must, moonshot
                self.results[name] = {"title": title, **result.as_json(), "pass": _passed(result)}
        finally:
            self.stop()

    def report(self):
        """Prints the table, keeps it as JSON; whether every must holds."""
        lines = ["", "| row | offered | Tandem | Kamailio | ratio | must | moonshot | |", "|---|---|---|---|---|---|---|---|"]
        for row in self.results.values():
            verdict = {True: "pass", False: "MISS", None: ""}[row["pass"]]
            cells = [row["title"], row.get("offered", ""), _figure(row, "tandem_lowest"), _figure(row, "kamailio_lowest"),
                     _number(row.get("ratio")), _number(row["must"]), _number(row["moonshot"]), row.get("failed") or verdict]
            lines.append("| " + " | ".join(cells) + " |")
        print("\n".join(lines))
        for row in self.results.values():
            for note in row.get("notes", []):
                print(f"- {row['title']}: {note}")
        kept = {"at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "machine": _machine(),
                "rounds": self.rounds, "rows": self.results}
        (ROOT / "var" / "bench-sip.json").write_text(json.dumps(kept, indent=1, default=str))
        print("\nkept in var/bench-sip.json")
        return all(row["pass"] is not False for row in self.results.values())


def _passed(result):
    if result.passed is not None or result.must is None:
        return result.passed
    return result.ratio is not None and result.ratio <= result.must


def _number(value):
    return "" if value is None else f"{value:.2f}"


def _figure(row, key):
    value = row.get(key)
    return "" if value is None else f"{value:,.1f} {row['unit']}" if value < 1_000 else f"{value:,.0f} {row['unit']}"


def _machine():
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    version = subprocess.run(["dpkg-query", "-W", "-f=${Version}", "kamailio"], capture_output=True, text=True).stdout
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(), "kamailio": version, "load": os.getloadavg()}


def make_certificates(folder):
    """An authority of our own and a certificate of P-256 for localhost."""
    paths = {name: folder / f"{name}.pem" for name in ("authority", "authority-key", "certificate", "key")}
    made = {name: str(path) for name, path in paths.items()}
    request = folder / "request.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    _openssl("req", "-x509", *curve, "-keyout", made["authority-key"], "-out", made["authority"], "-days", "30", "-subj", "/CN=Bench authority",
             "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign")
    _openssl("req", *curve, "-keyout", made["key"], "-out", str(request), "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    _openssl("x509", "-req", "-in", str(request), "-CA", made["authority"], "-CAkey", made["authority-key"], "-CAcreateserial", "-days", "30",
             "-copy_extensions", "copy", "-out", made["certificate"])
    return made


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
