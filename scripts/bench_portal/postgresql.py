"""A PostgreSQL of one's own for a bench: as Debian sets it up, durable, reached over a Unix socket in its folder only."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path


class PostgreSql:
    def __init__(self):
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not found:
            raise SystemExit("bench-portal: PostgreSQL is missing; run scripts/setup")
        self.programs = found[-1].parent
        self.folder = Path(tempfile.mkdtemp(prefix="bench-portal-"))
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self.folder, "postgres", "postgres")

    @property
    def url(self):
        return f"postgres://postgres@localhost/bench?host={self.folder}"

    def start(self):
        data = self.folder / "data"
        self._run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        self._run("pg_ctl", "-D", data, "-l", self.folder / "log", "-w", "start", "-o",
                  f"-k '{self.folder}' -c listen_addresses='' -c max_connections=100")
        self._run("createdb", "-U", "postgres", "-h", self.folder, "bench")

    def settle(self):
        """What autovacuum does sooner or later: without statistics the first minutes are not those of a server that runs."""
        self._run("psql", "-q", "-U", "postgres", "-h", self.folder, "-c", "vacuum analyze", "bench")

    def stop(self):
        if (self.folder / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", self.folder / "data", "-m", "fast", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program, *arguments):
        command = [str(part) for part in (self.programs / program, *arguments)]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")
