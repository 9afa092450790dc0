"""Print which estimator proves what: a row for each, a column for each property of `cellwright.testing.searches`.

`.venv/bin/python tools/estimators.py [NAME …]` prints it as a table of Markdown, and ends with 1 where a proof fails.
"""

import sys
import time

from cellwright.testing.searches import PROPERTIES, applies, subjects


def proof(claim: str, name: str) -> str:
    """Return `yes`, `NO` or, where the property is none of this estimator, a dash."""
    estimator = subjects()[name]
    if not applies(claim, name, estimator):
        return "–"
    try:
        PROPERTIES[claim](estimator)
    except Exception as error:
        print(f"{name}, {claim}: {type(error).__name__}: {error}", file=sys.stderr)
        return "NO"
    return "yes"


def main(names: list[str]) -> int:
    """Print the table; return the status of the process."""
    print("| estimator | " + " | ".join(PROPERTIES) + " | s |")
    print("|---|" + "---|" * (len(PROPERTIES) + 1))
    failed = False
    for name in names or sorted(subjects()):
        began = time.monotonic()
        proofs = [proof(claim, name) for claim in PROPERTIES]
        failed |= "NO" in proofs
        print(f"| {name} | " + " | ".join(proofs) + f" | {time.monotonic() - began:.1f} |", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
