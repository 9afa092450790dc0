"""What `cellwright export` prints."""

from collections.abc import Iterator
from typing import Any

from cellwright.service.exports import Export


def document(exported: Export) -> dict[str, Any]:
    """Return an export as JSON, without the text of its file."""
    return {
        "path": str(exported.path),
        "format": exported.format,
        "left_out": dict(exported.left_out),
        "notes": list(exported.notes),
    }


def lines(exported: Export) -> Iterator[str]:
    """Yield what is to be known of an export: its notes, what it could not hold, its place."""
    for note in exported.notes:
        yield f"note: {note}"
    for name, reason in exported.left_out.items():
        yield f"left out: {name}: {reason}"
    yield str(exported.path)
