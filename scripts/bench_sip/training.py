"""The work that a build is optimised for: a little of everything that a server does much of.

What is never done here is compiled for size, so each transport, both ways to store and every kind of load that `ROWS` measures
takes part. Only our server runs; nothing is measured.
"""

import argparse

from . import rows
from .bench import Bench


def train(programs):
    bench = Bench(argparse.Namespace(bin=programs, quick=True, million=False, rounds=1, apart=False))
    try:
        _work(bench)
    finally:
        bench.stop()


def _work(bench):
    for registrar in ("memory-first", "durable"):
        server = bench.tandem(registrar)
        bench.say(f"training: registrations and calls, {registrar}")
        rows.warm_up(bench, server)
        _complete(rows.register(bench, server, 2_000, 5, bench.users))
        with rows.bindings_generator(bench, server, 10_000, push=True) as generator:
            generator.ask("fill")
            generator.ask("refresh 2000 10000")
        _complete(rows.call(bench, server, 300, 3_000))
        _complete(rows.call(bench, server, 300, 1_000, "call_now", "answer_now"))
    bench.say("training: registrations and calls in a trusted network")
    server = bench.tandem(digest=False)
    with rows.bindings_generator(bench, server, 10_000, push=True) as generator:
        generator.ask("fill")
        generator.ask("refresh 2000 5000")
    _complete(rows.call(bench, server, 300, 1_000, "call_open"))
    for tls, resume in ((False, False), (True, False), (True, True)):
        bench.say(f"training: {'TLS' if tls else 'TCP'} connections{', resumed' if resume else ''}")
        server = bench.fresh_tandem(1_000)
        with rows.streams_generator(bench, server, 1_000, tls, resume) as generator:
            generator.told()
        server.stop()


def _complete(outcome):
    """A load that fails would teach the wrong branches."""
    if outcome.failed > outcome.done // 100:
        raise RuntimeError(f"{outcome.failed} of {outcome.done + outcome.failed} failed while training")
