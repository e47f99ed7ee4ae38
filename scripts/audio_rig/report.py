"""The tables at the end, as Markdown."""

import statistics

from .cases import TARGETS
from .phones import PHONES

# Heading, figure, decimals.
COLUMNS = [
    ("lost %", "loss_percent", 1), ("PESQ wb", "pesq_wb", 2), ("PESQ nb", "pesq_nb", 2), ("STOI", "stoi", 3), ("mouth to ear ms", "delay_ms", 1),
    ("drift ms", "drift_ms", 1), ("wander ms", "wander_ms", 1), ("gaps", "gaps", 0), ("level dB", "level_db", 1),
    ("CPU % caller", "cpu_caller_percent", 1), ("callee", "cpu_callee_percent", 1), ("RSS MB", "rss_mb", 1), ("200 OK ms", "answer_ms", 1),
    ("first RTP ms callee", "first_rtp_callee_ms", 0), ("caller", "first_rtp_caller_ms", 0)]


def tables(rows):
    """All cases that were measured, then what is aimed at. The median of the rounds; in brackets the lowest and the highest."""
    measured = {case: rounds for case, rounds in rows.items() if rounds}
    lines = [_row("phones", "codec", "network", "rounds", *(heading for heading, _, _ in COLUMNS)), "|---" * (len(COLUMNS) + 4) + "|"]
    for case, rounds in measured.items():
        figures = [_spread([each[figure] for each in rounds], digits) for _, figure, digits in COLUMNS]
        lines.append(_row(case.pair, case.codec, case.network, len(rounds), *figures))
    return "\n".join(lines + [""] + _targets(measured))


def _targets(measured):
    pairs = list(dict.fromkeys(case.pair for case in measured))
    lines = [_row("target", "aim", *(PHONES[pair].title for pair in pairs), "ours"), "|---" * (len(pairs) + 3) + "|"]
    for target in TARGETS:
        found = {case.pair: [each[target.figure] for each in rounds] for case, rounds in measured.items()
                 if (case.codec, case.network) == (target.codec, target.network)}
        if not found:
            continue
        sign = "≥" if target.at_least else "≤"
        ours = found.get(target.pair)
        verdict = "" if ours is None else "holds" if target.holds(statistics.median(ours)) else "does not hold"
        lines.append(_row(target.about, f"{sign} {target.bound:g}", *(_spread(found.get(pair, []), 2) for pair in pairs), verdict))
    return lines if len(lines) > 2 else []


def _spread(values, digits):
    values = [value for value in values if value is not None]
    if not values:
        return ""
    middle = f"{statistics.median(values):.{digits}f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def _row(*cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"
