"""What can be chosen: entries, calculations, objectives, models, costs, transforms, samplers, estimators.

Importing this package registers every member; `cellwright.schema.variant.discover` does so through the entry point.
"""

from cellwright.catalog import (
    actions,
    calculations,
    costs,
    distributions,
    entries,
    estimators,
    metrics,
    models,
    objectives,
    regularizers,
    samplers,
    transforms,
)

__all__ = [
    "actions",
    "calculations",
    "costs",
    "distributions",
    "entries",
    "estimators",
    "metrics",
    "models",
    "objectives",
    "regularizers",
    "samplers",
    "transforms",
]
