"""Reduced models: models of our own of a few equations, in PyBaMM's words, so that all that works on its models works
on them.
"""

from cellwright.models.reduced.base import ReducedModel
from cellwright.models.reduced.ecm import ECM
from cellwright.models.reduced.gitt import GITTModel

__all__ = ["MODELS", "ReducedModel"]

MODELS: dict[str, type[ReducedModel]] = {kind.__name__: kind for kind in (GITTModel, ECM)}
"""By the names that documents have for them, which are those of the classes."""
