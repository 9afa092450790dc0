"""Parameters as a JSON object: names and values in wire form, which PyBaMM's serialiser reads too."""

import json

from cellwright.exchange.written import Written
from cellwright.schema.parameters import ParameterSet


def json_file(p: ParameterSet) -> Written:
    """Return the JSON text of the parameters; functions and expressions are trees of PyBaMM's serialiser."""
    return Written(json.dumps(p.to_wire(), indent=2, ensure_ascii=False, allow_nan=False) + "\n")
