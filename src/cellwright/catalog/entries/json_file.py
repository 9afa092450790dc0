"""Values from a JSON file."""

import json
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import AliasChoices, Field

from cellwright.catalog.entries.direct import DirectEntry
from cellwright.errors import ConfigurationError, did_you_mean
from cellwright.schema.families import Entry
from cellwright.schema.parameters import ParameterSet, Values


class FromJson(Entry):
    """Values from a JSON file, an object of parameter names and values.

    Numbers, strings, lists, expressions, tables and functions in the wire form. The file is read when the pipeline is
    written or run, so that the values travel with it; the source says which file it was.

    Source: what the file holds; its path is kept with every value.
    """

    name: Literal["from_json"] = "from_json"
    positional = ("file_path",)
    file_path: str = Field(validation_alias=AliasChoices("file_path", "path"))

    def compute(self, p: ParameterSet) -> Values:
        """Return the values of the file. Raises: `ConfigurationError` where it cannot be read or holds no object."""
        return self.entry.compute(p)

    def anchored(self, folder: Path) -> Self:
        """Return the entry with its path relative to a folder."""
        return self.model_copy(update={"file_path": str(folder / self.file_path)})

    @property
    def entry(self) -> DirectEntry:
        """The entry with the values of the file.

        Raises: `ConfigurationError` where it cannot be read or holds no object.
        """
        path = Path(self.file_path)
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except OSError as cause:
            near = [other.name for other in path.parent.glob("*.json")] if path.parent.is_dir() else []
            raise ConfigurationError(
                f"the file {self.file_path!r} cannot be read: {cause.strerror}", hint=did_you_mean(path.name, near)
            ) from None
        except ValueError as cause:
            raise ConfigurationError(f"{path.name} is not JSON: {cause}") from None
        if not isinstance(values, dict):
            raise ConfigurationError(f"{path.name} holds a {type(values).__name__}, not an object of names and values")
        return DirectEntry(parameters=values, source=self.source or f"Parameters read from JSON file: {self.file_path}")

    def _dump(self, leaf: Any) -> dict[str, Any]:
        return self.entry._dump(leaf)
