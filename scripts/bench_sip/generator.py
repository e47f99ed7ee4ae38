"""The project's own load generator (`tests/bench`): what sipp cannot do."""

import json
import subprocess
from pathlib import Path


class Generator:
    """One command of the generator. With `keep` it is a conversation: lines in, JSON out."""

    def __init__(self, program, folder, command, **options):
        self.log = Path(folder) / f"{command}.log"
        arguments = [str(program), command]
        for name, value in options.items():
            if value is True:
                arguments.append(f"--{name}")
            elif value not in (None, False):
                arguments += [f"--{name}", str(value)]
        self.child = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(self.log, "ab"), text=True)

    def ask(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        return self.told()

    def told(self):
        line = self.child.stdout.readline()
        if not line:
            raise RuntimeError(f"the load generator has ended: see {self.log}")
        return json.loads(line)

    def close(self):
        self.child.stdin.close()
        self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
