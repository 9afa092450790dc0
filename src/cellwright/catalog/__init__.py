"""What can be chosen: entries, calculations, objectives, costs, transforms, samplers, estimators.

Importing this package registers every member; `cellwright.schema.variant.discover` does so through the entry point.
"""

from cellwright.catalog import (
    calculations,
    costs,
    distributions,
    entries,
    estimators,
    objectives,
    regularizers,
    samplers,
    transforms,
)

__all__ = [
    "calculations",
    "costs",
    "distributions",
    "entries",
    "estimators",
    "objectives",
    "regularizers",
    "samplers",
    "transforms",
]
