"""How the points of a search ended: counted, and told in words."""

from collections import Counter
from collections.abc import Iterable, Mapping

COUNTED = {"failed": "failed", "crashed": "crashed", "time limit": "timed_out", "ended early": "ended_early"}
"""What each status of a point counts as; one that crashed or took too long has failed, too."""
KINDS = {"crashed": "ended their process", "timed_out": "took too long"}


def tally(statuses: Iterable[str]) -> Counter[str]:
    """Return how many points failed, of which crashed and timed out, and how many ended early."""
    counts: Counter[str] = Counter(COUNTED[status] for status in statuses if status in COUNTED)
    worse = counts["crashed"] + counts["timed_out"]
    return +Counter({**counts, "failed": counts["failed"] + worse})


def commonest(causes: Mapping[str, int]) -> str:
    """Return the cause that most points have, and of how many."""
    if not causes:
        return "the cause is not known"
    cause, times = max(causes.items(), key=lambda item: item[1])
    return f"most often ({times} times): {cause}"


def failures_told(counts: Mapping[str, int], causes: Mapping[str, int]) -> list[str]:
    """Return a sentence about the points that could not be solved, if any."""
    failed = counts.get("failed", 0)
    if not failed:
        return []
    kinds = [f"{count:,} {what}" for key, what in KINDS.items() if (count := counts.get(key, 0))]
    among = f" ({', '.join(kinds)})" if kinds else ""
    return [f"{failed:,} of {counts.get('evaluations', 0):,} points could not be solved{among}; {commonest(causes)}"]
