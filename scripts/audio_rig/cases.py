"""What is measured: pairs of phones, codecs, networks, and what `docs/performance.md` aims at."""

from dataclasses import dataclass

from .impairment import Impairment

PAIRS = ("tandem", "processed", "baresip", "linphonec")
CODECS = ("opus", "pcma")


@dataclass(frozen=True)
class Network:
    about: str
    impairment: Impairment = Impairment()
    # How much faster the cards of the called phone are than those of the caller.
    clock_ppm: float = 0.0
    # How often the speech is said: a clock that is a little off takes time to show.
    times: int = 1

    @property
    def lossy(self):
        return self.impairment.loss > 0


NETWORKS = {
    "clean": Network("nothing is impaired"),
    "loss5": Network("5 % lost at random", Impairment(loss=5)),
    "loss10": Network("10 % lost at random", Impairment(loss=10)),
    "loss20": Network("20 % lost at random", Impairment(loss=20)),
    "burst10": Network("10 % lost, three in a row on the average", Impairment(loss=10, burst=3)),
    "jitter30": Network("60 ms, and up to 30 more or less", Impairment(delay_ms=60, jitter_ms=30)),
    "jitter50": Network("10 to 110 ms, 60 in the middle", Impairment(delay_ms=60, jitter_ms=50)),
    "reorder": Network("60 ms; 5 % come 45 ms later and are overtaken", Impairment(delay_ms=60, reorder=5)),
    "drift": Network("the called phone's cards are 200 ppm fast, two minutes", clock_ppm=200, times=5),
}
# Of our phone only unless it is asked for: two minutes each.
LONG = ("drift",)
# Of the phone with all processing only unless more is asked for: what it costs.
COST = ("opus", "clean")
QUICK = ("clean", "loss10")


@dataclass(frozen=True)
class Case:
    pair: str
    codec: str
    network: str

    def __str__(self):
        return f"{self.pair}:{self.codec}:{self.network}"


def chosen(pairs, only, quick):
    """Cases in the order in which they are measured: pairs alternate, so that an hour's load meets all of them."""
    wanted = [_parts(text) for text in only]
    cases = []
    for codec in CODECS:
        for name in NETWORKS:
            for pair in pairs:
                case = Case(pair, codec, name)
                if wanted:
                    if any(parts <= {pair, codec, name} for parts in wanted):
                        cases.append(case)
                elif _is_usual(case, quick):
                    cases.append(case)
    return cases


def _is_usual(case, quick):
    if case.pair == "processed":
        return (case.codec, case.network) == COST
    return (case.network in QUICK or not quick) and (case.network not in LONG or case.pair == "tandem")


def _parts(text):
    """`opus:loss10`, `clean` or `baresip:pcma` as the set of what is asked for."""
    parts = set(text.split(":"))
    if unknown := parts - {*PAIRS, *CODECS, *NETWORKS}:
        raise ValueError(f"no such pair, codec or network: {', '.join(sorted(unknown))}; --list shows all")
    return parts


@dataclass(frozen=True)
class Target:
    """One figure of one case; `at_least` or at most."""

    codec: str
    network: str
    figure: str
    bound: float
    at_least: bool
    about: str
    # Whose figure decides.
    pair: str = "tandem"

    def holds(self, value):
        return value >= self.bound if self.at_least else value <= self.bound


def _least(codec, network, figure, bound, about):
    return Target(codec, network, figure, bound, True, about)


def _most(codec, network, figure, bound, about, pair="tandem"):
    return Target(codec, network, figure, bound, False, about, pair)


TARGETS = (
    _most("opus", "clean", "delay_ms", 70, "mouth to ear, ms"),
    _most("opus", "jitter30", "delay_ms", 150, "mouth to ear with ±30 ms jitter around 60 ms, ms"),
    _least("opus", "jitter30", "pesq_wb", 4.2, "PESQ wb with ±30 ms jitter"),
    _least("opus", "loss5", "pesq_wb", 4.0, "PESQ wb, Opus, 5 % loss"),
    _least("opus", "loss10", "pesq_wb", 3.7, "PESQ wb, Opus, 10 % loss"),
    _least("opus", "loss20", "pesq_wb", 3.2, "PESQ wb, Opus, 20 % loss"),
    _least("pcma", "loss5", "pesq_nb", 2.9, "PESQ nb, G.711, 5 % loss"),
    _least("pcma", "loss10", "pesq_nb", 2.5, "PESQ nb, G.711, 10 % loss"),
    _least("pcma", "loss20", "pesq_nb", 2.0, "PESQ nb, G.711, 20 % loss"),
    _least("opus", "burst10", "stoi", 0.91, "STOI, Opus, bursts of three at 10 %"),
    _most("opus", "clean", "answer_ms", 2, "from the answer to its 200 OK, ms"),
    _most("opus", "clean", "first_rtp_callee_ms", 25, "from 200 OK to the called phone's first RTP, ms"),
    _most("opus", "clean", "first_rtp_caller_ms", 25, "from 200 OK to the caller's first RTP, ms"),
    _most("opus", "clean", "cpu_percent", 2.0, "CPU of the dearer phone, percent of a core"),
    _most("opus", "clean", "cpu_percent", 3.5, "the same with all processing", "processed"),
    _most("opus", "clean", "rss_mb", 15, "RSS of the larger phone, MB"),
    _most("opus", "drift", "wander_ms", 5, "how far the delay wanders with clocks 200 ppm apart, ms (aim: in four hours; here two minutes)"),
)
