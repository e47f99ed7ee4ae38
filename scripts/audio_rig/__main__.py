"""Our phone beside baresip and linphonec: the same speech through the same sound system and the same bad networks.

  make bench-audio                                  every case, three rounds; two hours
  make bench-audio ARGS=--quick                     a clean network and 10 % loss, one round; under ten minutes
  make bench-audio ARGS="--only opus:loss10 --pairs tandem --rounds 5"

What the figures are and how to read them: docs/testing.md; what came of them: docs/performance.md.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from bench_sip.processes import unwind_when_terminated

from .bench import ROOT, SPEECH, Bench
from .cases import NETWORKS, PAIRS, chosen
from .check import Untrue


def main():
    parser = argparse.ArgumentParser(prog="bench-audio", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a clean network and 10 %% loss, one round")
    parser.add_argument("--rounds", type=int, help="rounds of each case (3; quick 1)")
    parser.add_argument("--only", default="", help="cases with commas between, each by any of pair, codec, network: opus:loss10,pcma:clean")
    parser.add_argument("--pairs", default=",".join(PAIRS), help=f"which phones, of {','.join(PAIRS)}")
    parser.add_argument("--list", action="store_true", help="show the cases and the networks, measure nothing")
    parser.add_argument("--self-check", action="store_true", help="only find out whether the rig itself is true")
    parser.add_argument("--json", metavar="FILE", help="keep the figures of every round")
    parser.add_argument("--bin", metavar="DIR", help="folder with built programs; otherwise they are built")
    parser.add_argument("--keep", action="store_true", help="leave recordings and logs behind, and say where")
    options = parser.parse_args()
    pairs = options.pairs.split(",")
    if unknown := set(pairs) - set(PAIRS):
        parser.error(f"no such phone: {', '.join(sorted(unknown))}")
    try:
        cases = chosen(pairs, [text for text in options.only.split(",") if text], options.quick)
    except ValueError as error:
        parser.error(str(error))
    if options.list:
        return _list(cases)
    if not cases:
        parser.error("no case is left")
    if os.geteuid() != 0:
        sys.exit("bench-audio: network namespaces need root")
    if not (SPEECH / "human.wav").exists():
        sys.exit("bench-audio: there is no speech: run scripts/setup")
    sys.exit(0 if _run(options, cases) else 1)


def _run(options, cases):
    if not options.bin and not options.self_check:
        subprocess.run(["cargo", "build", "--release", "--package", "tandem", "--package", "softphone"], cwd=ROOT, check=True)
    programs = options.bin or Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    unwind_when_terminated()
    bench = Bench(cases, options.rounds or (1 if options.quick else 3), Path(programs).absolute(), options.keep)
    try:
        bench.check(clocks=options.self_check or any(NETWORKS[case.network].clock_ppm for case in cases))
        if options.self_check:
            return True
        bench.run()
    except Untrue as error:
        print(f"self-check: {error}", file=sys.stderr)
        return False
    finally:
        bench.stop()
    return bench.report(options.json)


def _list(cases):
    for case in cases:
        print(case)
    print()
    for name, network in NETWORKS.items():
        print(f"{name:<10} {network.about}")


if __name__ == "__main__":
    main()
