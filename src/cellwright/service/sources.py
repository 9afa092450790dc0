"""Where the values of entries lie: in what is handed in, and in a store."""

from collections.abc import Mapping
from typing import Any

from cellwright.errors import ConflictError, NotFoundError, did_you_mean
from cellwright.schema.parameters import ParameterSet
from cellwright.store import Store


class KnownSources:
    """Cell specifications by id, and what a store keeps; `cellwright.engine.stored_entries.Sources`."""

    def __init__(self, store: Store | None = None, cell_specifications: Mapping[str, Mapping[str, Any]] | None = None):
        self._store = store
        self._given = cell_specifications or {}

    def run(self, pipeline_id: str) -> tuple[str, ParameterSet]:
        """Return the name and the merged parameters of a completed run.

        Raises: `NotFoundError`, `ConflictError` where it has not completed.
        """
        if self._store is None:
            raise NotFoundError(
                f"Pipeline {pipeline_id!r} not found", hint="hand in the store that has it: run(…, store=…)"
            )
        run = self._store.runs.get(pipeline_id)
        if run.status != "completed":
            raise ConflictError(
                f"Pipeline {pipeline_id!r} ({run.name!r}) has no result to read from: it is {run.status}",
                hint="fix and run it first" if run.is_terminal else "wait until it has completed",
            )
        return run.name, self._store.runs.result(pipeline_id, series=False).parameters

    def cell_specification(self, cell_spec_id: str) -> Mapping[str, Any]:
        """Return a cell specification.

        Raises: `NotFoundError`.
        """
        if cell_spec_id in self._given:
            return self._given[cell_spec_id]
        if self._store is None:
            raise NotFoundError(
                f"Cell specification {cell_spec_id!r} not found",
                hint=did_you_mean(cell_spec_id, self._given)
                or f"hand it in: run(…, cell_specifications={{{cell_spec_id!r}: …}})",
            )
        return self._store.cell_specifications.get(cell_spec_id).document
