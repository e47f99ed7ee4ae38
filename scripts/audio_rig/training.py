"""The work that the phone's build is optimised for: calls as people have them, on good and bad networks, with and without processing.

What is never done here is compiled for size and lies apart from the rest, so each codec and each way to lose packets takes part.
Nothing is measured. scripts/release calls it: `python -m audio_rig.training SOFTPHONE TANDEM`.
"""

import sys
import tempfile
from pathlib import Path

from bench_sip.processes import unwind_when_terminated

from .bench import Bench
from .cases import Case

CASES = (
    Case("tandem", "opus", "clean"),
    Case("tandem", "opus", "loss10"),
    Case("tandem", "opus", "jitter50"),
    Case("tandem", "pcma", "burst10"),
    Case("processed", "opus", "loss5"),
    Case("processed", "opus", "clean"),
)


def train(softphone, tandem):
    with tempfile.TemporaryDirectory(prefix="training-") as folder:
        for program in (softphone, tandem):
            (Path(folder) / program.name).symlink_to(program)
        bench = Bench(CASES, 1, Path(folder))
        try:
            bench.run()
        finally:
            bench.stop()
    if failed := [str(case) for case, rounds in bench.rows.items() if not rounds]:
        raise RuntimeError(f"failed while training: {', '.join(failed)}")


if __name__ == "__main__":
    unwind_when_terminated()
    train(*(Path(program).absolute() for program in sys.argv[1:]))
