"""Errors as a run's record tells them: one sentence that names the element and the remedy."""

from collections.abc import Sequence

from cellwright.errors import CellwrightError
from cellwright.store.runs import Failure


def failure_of(error: CellwrightError) -> Failure:
    """Return what is kept of an error."""
    return Failure(sentence(error), error.code, error.to_dict())


def sentence(error: CellwrightError) -> str:
    """Return an error as one sentence; of several problems the first, and how many there are."""
    problems = [row for row in error.detail.get("problems", []) if row["severity"] == "error"]
    if not problems:
        return _sentence(error.message, error.at, error.hint)
    first, *more = problems
    said = _sentence(first["message"], (*error.at, *first["at"]) if len(problems) > 1 else first["at"], first["hint"])
    if not more:
        return said
    return f"{said} There {'is 1 more problem' if len(more) == 1 else f'are {len(more)} more problems'} like it."


def _sentence(message: str, at: Sequence[str], hint: str | None) -> str:
    element, *inside = at or [""]
    where = f" ({' › '.join(inside)})" if inside else ""
    place = f"Element {element!r}{where}: " if element else ""
    said = place + message.rstrip(".") + (f" ({hint})" if hint else "") + "."
    return said[0].upper() + said[1:]
