"""The tree of errors: one shape in Python, over HTTP, on the command line and in the report.

Every error says what was wrong (`message`), where in the document (`at`), and what to do (`hint`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar, Literal, TypeAlias

Path: TypeAlias = tuple[str, ...]


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """Return up to `limit` of the known names that look most like `name`, best first.

    Long names of parameters share most of their words, so they have to be more alike than short ones.
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    cutoff = 0.6 if len(name) < 15 else 0.85
    return [by_lower[match] for match in get_close_matches(name.lower(), by_lower, n=limit, cutoff=cutoff)]


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return a sentence that offers the nearest known names, or None where nothing is near."""
    close = nearest(name, known)
    return f"did you mean {' or '.join(repr(match) for match in close)}?" if close else None


class CellwrightError(Exception):
    """Base of every error a user may see.

    Attributes: `message` what was wrong, `at` the path in the document, `hint` what to do about it,
    `detail` further facts for machines.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    exit_status: ClassVar[int] = 70
    http_status: ClassVar[int] = 500

    def __init__(
        self,
        message: str,
        *,
        at: Sequence[str] = (),
        hint: str | None = None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        self.message = message
        self.at: Path = tuple(at)
        self.hint = hint
        self.detail = detail or {}
        super().__init__(message)

    def within(self, *prefix: str) -> "CellwrightError":
        """Return this error with the place it happened at moved below `prefix`."""
        self.at = (*prefix, *self.at)
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return the error as the document that HTTP, the store and `--json` carry."""
        return {
            "error_code": self.code,
            "message": self.message,
            "at": list(self.at),
            "hint": self.hint,
            "detail": self.detail or None,
        }

    def __str__(self) -> str:
        place = f"{' › '.join(self.at)}: " if self.at else ""
        return f"{place}{self.message}" + (f" ({self.hint})" if self.hint else "")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.at, self.hint, self.detail)


def _rebuild(
    kind: type[CellwrightError], message: str, at: Path, hint: str | None, detail: dict[str, Any]
) -> CellwrightError:
    return kind(message, at=at, hint=hint, detail=detail)


class ConfigurationError(CellwrightError, ValueError):
    """The document says something that cannot be meant: an unknown field, a wrong type, a missing parameter."""

    code = "CONFIGURATION_ERROR"
    exit_status = 2
    http_status = 422


class MissingParameterError(ConfigurationError):
    """A number was needed of a parameter that no element before has provided."""


class DataError(CellwrightError):
    """Measured data cannot be read or lack what is asked of them."""

    code = "DATA_ERROR"
    exit_status = 3
    http_status = 422


class CheckFailedError(CellwrightError):
    """The check found problems; `detail["problems"]` lists them all."""

    code = "CONFIGURATION_ERROR"
    exit_status = 1
    http_status = 422


class SolverError(CellwrightError):
    """A model could not be built or solved, or every point of a search failed."""

    code = "SOLVER_ERROR"
    exit_status = 4
    http_status = 422


class ExecutionTimeoutError(CellwrightError):
    """A run or a wait took longer than it was allowed to."""

    code = "EXECUTION_TIMEOUT"
    exit_status = 5
    http_status = 504


class CanceledError(CellwrightError):
    """The run was cancelled."""

    code = "CANCELED"
    exit_status = 130
    http_status = 409


class NotFoundError(CellwrightError):
    """Nothing of that id or name is here."""

    code = "NOT_FOUND"
    exit_status = 6
    http_status = 404


class ConflictError(CellwrightError):
    """The request does not fit the state that the thing is in."""

    code = "CONFLICT"
    exit_status = 7
    http_status = 409


class NotImplementedYetError(CellwrightError):
    """The contract knows this member, and Cellwright does not run it yet."""

    code = "NOT_IMPLEMENTED"
    exit_status = 8
    http_status = 501


class InternalError(CellwrightError):
    """A fault of Cellwright's own; the traceback is in the log."""


def error_of(document: Mapping[str, Any]) -> CellwrightError:
    """Return the error that a document tells of, of the class that its code belongs to."""
    kind = _by_code(CellwrightError).get(str(document.get("error_code")), CellwrightError)
    return kind(
        str(document.get("message") or "unknown error"),
        at=document.get("at") or (),
        hint=document.get("hint"),
        detail=document.get("detail"),
    )


def _by_code(base: type[CellwrightError]) -> dict[str, type[CellwrightError]]:
    """Return code → class, the more general class where several share one."""
    below: dict[str, type[CellwrightError]] = {}
    for kind in base.__subclasses__():
        below = {**_by_code(kind), **below}
    return {**below, base.code: base}


@dataclass(frozen=True)
class Problem:
    """One finding of a check: what is wrong, where, and what to do."""

    severity: Literal["error", "warning"]
    message: str
    at: Path = ()
    hint: str | None = None
    code: str = "CONFIGURATION_ERROR"

    @classmethod
    def of(cls, error: CellwrightError, severity: Literal["error", "warning"] = "error") -> "Problem":
        """Return the finding that an error amounts to."""
        return cls(severity, error.message, error.at, error.hint, error.code)

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        return {
            "severity": self.severity,
            "error_code": self.code,
            "message": self.message,
            "at": list(self.at),
            "hint": self.hint,
        }

    def __str__(self) -> str:
        place = f"{' › '.join(self.at)}: " if self.at else ""
        return f"{place}{self.message}" + (f" ({self.hint})" if self.hint else "")
