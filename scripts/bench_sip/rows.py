"""The rows of the comparison: what is done to both servers, and what counts.

A row is a function of the bench that returns its result; `ROWS` lists them with the targets, which are ratios to Kamailio unless
the row says otherwise. Both servers stay up while the rounds of a row alternate between them; the lowest of the rounds counts,
because other programs on the machine make an operation dearer, never cheaper.
"""

import re
import signal
import statistics
import time
from dataclasses import dataclass, field

from .generator import Generator
from .load import Sipp

# Longer than a transaction lives after its end (32 s), so that memory is that of what stays.
SETTLE = 40

# Rounds of the cheapest rows are so many times shorter, and more.
SHORTER = 2

PUSH = "pn-provider=fcm;pn-param=tandem-1a2b3;pn-prid="


@dataclass
class Result:
    """Figures of one row: each round's, and the lowest of each server."""

    unit: str
    tandem: list = field(default_factory=list)
    kamailio: list = field(default_factory=list)
    must: float | None = None
    moonshot: float | None = None
    offered: str = ""
    notes: list = field(default_factory=list)
    # Rows without a ratio: whether the absolute demand holds.
    passed: bool | None = None

    @staticmethod
    def lowest(values):
        return min(values) if values else None

    @property
    def ratio(self):
        ours, theirs = self.lowest(self.tandem), self.lowest(self.kamailio)
        return ours / theirs if ours is not None and theirs else None

    def as_json(self):
        return {**self.__dict__, "ratio": self.ratio, "tandem_lowest": self.lowest(self.tandem),
                "kamailio_lowest": self.lowest(self.kamailio),
                "tandem_median": statistics.median(self.tandem) if self.tandem else None,
                "kamailio_median": statistics.median(self.kamailio) if self.kamailio else None}


def _cost(server, done_by):
    """CPU of a server per operation in microseconds, with the split, while `done_by` runs."""
    before = server.process.cpu()
    outcome = done_by()
    time.sleep(0.5)  # what is done behind the last answer belongs to it too
    spent = server.process.cpu() - before
    return outcome, [1e6 * part / max(outcome.done, 1) for part in (spent.total, spent.user, spent.system)]


def _both(bench, result, servers, run, rounds):
    """Alternates the rounds; notes failures and the split of the cheapest round."""
    cheapest = {}
    for _ in range(rounds):
        for server in servers:
            outcome, cost = _cost(server, lambda server=server: run(server))
            figures = result.tandem if server.name == "Tandem" else result.kamailio
            figures.append(cost[0])
            cheapest[server.name] = min(cheapest.get(server.name, cost), cost)
            bench.say(f"  {server.name}: {cost[0]:.1f} µs (user {cost[1]:.1f}, system {cost[2]:.1f}), {outcome.done} done, "
                      f"{outcome.failed} failed, {outcome.retransmitted} repeated, {outcome.rate:.0f}/s")
            if outcome.failed:
                result.notes.append(f"{server.name}: {outcome.failed} of {outcome.done + outcome.failed} failed")
    for name, (_, user, system) in cheapest.items():
        result.notes.append(f"{name}: user {user:.1f}, system {system:.1f}")
    return result


def credentials(bench, user):
    return f"[authentication username={user} password={bench.password}]"


def register(bench, server, rate, seconds, users, scenario="register", name=None):
    """Registrations by sipp at a fixed rate; a user always registers the same contact."""
    port = bench.phones
    fields = [f"{user};{server.domain};{credentials(bench, user)};{port}" for user in users]
    return Sipp(bench.folder, scenario, f"127.0.0.1:{server.port}", rate=rate, count=rate * seconds, fields=fields,
                auth_uri=server.domain, port=port, patience=seconds + 90).wait()


def call(bench, server, rate, count, scenario="call", answer="answer", patience=90):
    """Calls by sipp at a fixed rate to one callee that another sipp plays, always on the same port: another would be one more contact to ring."""
    port = bench.callee
    fields = [f"callee;{server.domain};{credentials(bench, 'callee')};{port}"]
    # From the port that it will answer on, like a phone: what comes from elsewhere is a stranger's.
    bound = Sipp(bench.folder, "register" if server.digest else "register_open", f"127.0.0.1:{server.port}", rate=1, count=1,
                 fields=fields, auth_uri=server.domain, port=port).wait()
    if bound.done != 1:
        raise RuntimeError(f"{server.name}: the callee cannot register")
    callee = Sipp(bench.folder, answer, f"127.0.0.1:{server.port}", port=port, patience=count / rate + patience + 60)
    try:
        fields = [f"{user};{server.domain};callee;-;{credentials(bench, user)}" for user in bench.users[:1_000]]
        caller = Sipp(bench.folder, scenario, f"127.0.0.1:{server.port}", rate=rate, count=count, fields=fields,
                      auth_uri=f"callee@{server.domain}", patience=count / rate + patience)
        return caller.wait()
    finally:
        callee.stop()


def registrations(bench, registrar):
    """REGISTER, 401, REGISTER with credentials, 200; no nonce is kept. Kamailio keeps its bindings in memory alone."""
    result = Result("µs", offered="4,000/s")
    servers = [bench.tandem(registrar), bench.kamailio()]
    for server in servers:
        warm_up(bench, server)
    return _both(bench, result, servers, lambda s: register(bench, s, 4_000, bench.seconds, bench.users), bench.rounds)


def warm_up(bench, server):
    """Every user has registered once: what a server reads of its accounts is read, and its first memory is touched."""
    register(bench, server, 1_000, 1 + len(bench.users) // 1_000, bench.users)


class _Refreshes:
    """The generator's counts in the words of sipp's."""

    def __init__(self, told):
        self.done, self.failed = told["granted"], told["refused"] + told["unanswered"]
        self.retransmitted, self.rate = told["repeated"], told["granted"] / told["seconds"]


def refreshes(bench, digest, kamailio_digest):
    """One round trip: with a kept nonce where there is digest, in a trusted network where there is none."""
    result = Result("µs", offered="4,000/s")
    # Of their own: those of other rows have a contact of each user already.
    servers = [bench.fresh_tandem(10_000, digest=digest), bench.fresh_kamailio(digest=kamailio_digest)]
    generators = {}
    try:
        for server in servers:
            generators[server.name] = generator = bindings_generator(bench, server, 10_000)
            generator.ask("fill")
        # Other guests of the host disturb the cheapest rows most: a quiet second is likelier than five.
        run = lambda s: _Refreshes(generators[s.name].ask(f"refresh 4000 {4_000 * bench.seconds // SHORTER}"))
        return _both(bench, result, servers, run, bench.rounds * SHORTER)
    finally:
        for generator in generators.values():
            generator.close()


def bindings_generator(bench, server, accounts, push=False):
    return Generator(bench.generator, bench.folder, "bindings", target=f"127.0.0.1:{server.port}", domain=server.domain,
                     password=bench.password, accounts=accounts, push=push)


def calls(bench):
    """INVITE, 407, INVITE, 180 after which 20 ms, 200, ACK, 100 ms, BYE. Ours is two dialogs, Kamailio's a proxy's one."""
    result = Result("µs", offered="1,000/s, 20 ms ring, 100 ms talk")
    servers = [bench.tandem(), bench.kamailio()]
    for server in servers:
        warm_up(bench, server)
    return _both(bench, result, servers, lambda s: call(bench, s, 1_000, 1_000 * bench.seconds), bench.rounds)


def open_calls(bench):
    """The same without 407, on neither side."""
    result = Result("µs", offered="1,000/s, 20 ms ring, 100 ms talk")
    servers = [bench.tandem(digest=False), bench.kamailio(digest=False)]
    for server in servers:
        register(bench, server, 1_000, 1 + len(bench.users) // 1_000, bench.users, "register_open")
    run = lambda s: call(bench, s, 1_000, 1_000 * bench.seconds, "call_open")
    return _both(bench, result, servers, run, bench.rounds)


def bindings(bench, count):
    """Bytes for each binding with a push token of 153 characters, once all transactions are over. Our server has read its accounts
    by then, so they are in the figure before; Kamailio has none."""
    result = Result("bytes")
    for server, figures in ((bench.fresh_tandem(count), result.tandem), (bench.fresh_kamailio(), result.kamailio)):
        with bindings_generator(bench, server, 100) as warm_up:
            warm_up.ask("fill")
        before = server.process.pss()
        with bindings_generator(bench, server, count, push=True) as generator:
            told = generator.ask("fill")
        time.sleep(SETTLE)
        idle = server.process.cpu()
        time.sleep(10)
        idle = server.process.cpu() - idle
        after = server.process.pss()
        figures.append((after - before) / count)
        bench.say(f"  {server.name}: {before / 1e6:.1f} -> {after / 1e6:.1f} MB, {(after - before) / count:.0f} bytes each, "
                  f"{told['granted']} granted, idle {100 * idle.total:.1f} ms/s")
        result.notes.append(f"{server.name}: {before / 1e6:.1f} -> {after / 1e6:.1f} MB, idle {100 * idle.total:.1f} ms/s")
        if told["granted"] != count:
            result.notes.append(f"{server.name}: only {told['granted']} of {count} granted")
        server.stop()
    return result


def streams(bench, tls, resume):
    """A connection, a registration with digest over it: CPU; and what an idle one takes."""
    result, memory = Result("µs"), {}
    count = 1_000 if bench.quick else 3_000
    for round_number in range(min(bench.rounds, 3)):
        for server, figures in ((bench.fresh_tandem(count), result.tandem), (bench.fresh_kamailio(tls=tls), result.kamailio)):
            if tls and not server.speaks_tls():
                result.notes.append(f"{server.name} has no TLS in this build")
                server.stop()
                continue
            with streams_generator(bench, server, 20, tls, resume) as warm_up:
                warm_up.told()
            before, cpu = server.process.pss(), server.process.cpu()
            with streams_generator(bench, server, count, tls, resume) as generator:
                told = generator.told()
                spent = server.process.cpu() - cpu
                if round_number == 0:
                    time.sleep(SETTLE)
                    memory[server.name] = (server.process.pss() - before) / count
            figures.append(1e6 * spent.total / max(told["open"], 1))
            bench.say(f"  {server.name}: {figures[-1]:.0f} µs (user {1e6 * spent.user / count:.0f}), {told['open']} open, "
                      f"{told['failed']} failed, {told['resumed']} resumed, {memory.get(server.name, 0):.0f} bytes each")
            if told["failed"]:
                result.notes.append(f"{server.name}: {told['failed']} of {count} failed")
            if resume:
                result.notes.append(f"{server.name}: {told['resumed']} of {count} resumed")
            server.stop()
    result.notes += [f"{name}: {size:.0f} bytes for each idle connection" for name, size in memory.items()]
    bench.memory["tls" if tls else "tcp", resume] = memory
    return result


def streams_generator(bench, server, count, tls, resume):
    port = server.tls_port if tls else server.port
    return Generator(bench.generator, bench.folder, "streams", target=f"127.0.0.1:{port}", domain=server.domain,
                     password=bench.password, count=count, authority=bench.certificates["authority"] if tls else None,
                     resume=resume)


def idle_tls(bench):
    """Memory of the connections of the row before."""
    memory = bench.memory.get(("tls", False), {})
    result = Result("bytes")
    result.tandem += [memory["Tandem"]] if "Tandem" in memory else []
    result.kamailio += [memory["Kamailio"]] if "Kamailio" in memory else []
    return result


def ordering(bench):
    """Calls that ring and last no time: one message that overtakes another fails its call."""
    count, rate = (20_000, 800) if bench.quick else (1_000_000, 1_500) if bench.million else (100_000, 1_500)
    result = Result("failed calls", offered=f"{rate:,}/s, {count:,} calls, no ring, no talk")
    for server, figures in ((bench.tandem(), result.tandem), (bench.kamailio(workers=2), result.kamailio)):
        outcome = call(bench, server, rate, count, "call_now", "answer_now")
        figures.append(outcome.failed)
        bench.say(f"  {server.name}: {outcome.failed} of {count} failed, {outcome.retransmitted} repeated, {outcome.rate:.0f}/s")
        result.notes.append(f"{server.name}: {outcome.retransmitted} repeated, {outcome.rate:.0f}/s")
    result.notes.append("Kamailio with two workers")
    result.passed = result.tandem[0] == 0
    return result


def restart(bench, count):
    """Killed with all bindings acknowledged; seconds from the start of the program until every binding is told again."""
    result = Result("seconds")
    server = bench.fresh_tandem(count, "durable")
    with bindings_generator(bench, server, count, push=True) as generator:
        told = generator.ask("fill")
    server.process.kill()  # at once behind the last answer: what was acknowledged must be there
    server.start()
    first_answer = time.monotonic() - server.started
    asked, spent = _ask_all(bench, server, count)
    every = time.monotonic() - server.started
    again, usual = _ask_all(bench, server, count)  # as at any other time: what of the above is asking and answering
    result.tandem.append(first_answer)
    result.notes += [f"{asked['contacts']} of {told['granted']} acknowledged bindings are there",
                     f"all {count:,} asked for and told after {every:.1f} s, of which {asked['seconds']:.1f} s are the asking; the same questions "
                     f"again take {again['seconds']:.1f} s",
                     f"server's CPU for the questions: {1e6 * spent.total / count:.0f} µs each, again {1e6 * usual.total / count:.0f} µs",
                     "Kamailio in memory: all are lost"]
    result.passed = asked["contacts"] == told["granted"] == count and first_answer < 5
    bench.say(f"  Tandem: serves after {first_answer:.2f} s, all told after {every:.1f} s, {asked['contacts']} of {told['granted']}; "
              f"asking took {asked['seconds']:.1f} s, again {again['seconds']:.1f} s; "
              f"CPU {1e6 * spent.total / count:.0f} and {1e6 * usual.total / count:.0f} µs each")
    return result


def _ask_all(bench, server, count):
    """Every account asks what it has bound, by a generator that knows no nonce yet: what it was told, and the server's CPU for it."""
    before = server.process.cpu()
    with bindings_generator(bench, server, count) as generator:
        asked = generator.ask("ask")
    return asked, server.process.cpu() - before


def tables(server):
    """What the server says of its tables."""
    seen = server.process.log.read_text().count("Tables:")
    server.process.child.send_signal(signal.SIGUSR1)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        lines = re.findall(r"Tables: (.*)", server.process.log.read_text())
        if len(lines) > seen:
            return {name: int(number) for name, number in re.findall(r"(\w+): (\d+)", lines[-1])}
        time.sleep(0.05)
    raise TimeoutError("the server does not tell its tables")


def endurance(bench, kind):
    """A rate for a minute without a failure; 40 s later every table but the bindings is empty."""
    seconds = 10 if bench.quick else 60
    rate = {"registrations": 5_000, "calls": 1_500}[kind]
    result = Result("failed", offered=f"{rate:,}/s for {seconds} s")
    server = bench.fresh_tandem(10_000, "durable")
    warm_up(bench, server)  # a source that nobody knows and that sends thousands of requests a second is a flood
    if kind == "registrations":
        outcome = register(bench, server, rate, seconds, bench.users)
    else:
        outcome = call(bench, server, rate, rate * seconds)
    result.tandem.append(outcome.failed)
    time.sleep(SETTLE)
    left = {name: number for name, number in tables(server).items() if name != "bindings" and number}
    bench.say(f"  {outcome.failed} of {rate * seconds} failed, {outcome.retransmitted} repeated, {outcome.rate:.0f}/s; left: {left or 'nothing'}")
    result.notes += [f"{outcome.retransmitted} repeated, {outcome.rate:.0f}/s reached", f"left after {SETTLE} s: {left or 'nothing'}"]
    result.passed = outcome.failed == 0 and outcome.done == rate * seconds and not left
    return result


# name, title, function, must, moonshot
ROWS = [
    ("register", "CPU per registration with digest, memory first", lambda b: registrations(b, "memory-first"), 0.75, 0.50),
    ("register-durable", "CPU per registration with digest, on disk before the 200", lambda b: registrations(b, "durable"), None, None),
    ("open-register", "CPU per open registration, digest on neither side", lambda b: refreshes(b, False, False), 0.80, 0.60),
    ("refresh", "CPU per registration with a kept nonce", lambda b: refreshes(b, True, True), None, None),
    ("refresh-open", "CPU per registration with a kept nonce, Kamailio without digest", lambda b: refreshes(b, True, False), None, None),
    ("call", "CPU per call, B2BUA beside a proxy", calls, 0.90, 0.60),
    ("open-call", "CPU per call without digest, B2BUA beside a proxy", open_calls, 0.90, 0.60),
    ("bindings-10k", "Bytes per binding with push token, 10,000", lambda b: bindings(b, 10_000), 0.60, 0.35),
    ("bindings-100k", "Bytes per binding with push token, 100,000", lambda b: bindings(b, 100_000), 0.60, 0.35),
    ("tcp", "CPU per TCP connection and registration", lambda b: streams(b, False, False), None, None),
    ("tls", "CPU per TLS connection and registration, full handshake", lambda b: streams(b, True, False), 0.90, 0.70),
    ("tls-resumed", "CPU per TLS connection and registration, resumed", lambda b: streams(b, True, True), 0.40, 0.15),
    ("tls-idle", "Bytes per idle TLS connection", idle_tls, 0.40, 0.20),
    ("ordering", "Failed calls at zero ring and talk time", ordering, None, None),
    ("restart", "Restart with 100,000 bindings", lambda b: restart(b, 10_000 if b.quick else 100_000), None, None),
    ("gate-registrations", "5,000 registrations a second, a minute", lambda b: endurance(b, "registrations"), None, None),
    ("gate-calls", "1,500 calls a second, a minute", lambda b: endurance(b, "calls"), None, None),
]

QUICK = ["register", "register-durable", "open-register", "refresh", "call", "bindings-10k", "restart"]
