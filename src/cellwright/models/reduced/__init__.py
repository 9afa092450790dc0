"""Reduced models: models of our own of a few equations, in PyBaMM's words, so that all that works on its models works
on them.
"""

from cellwright.models.reduced.base import ReducedModel
from cellwright.models.reduced.ecm import ECM
from cellwright.models.reduced.gitt import GITTModel
from cellwright.models.reduced.lumped import LumpedSPMeR, LumpedSPMR
from cellwright.models.reduced.single_electrode import SingleElectrodeLumpedSPMR

__all__ = ["MODELS", "ReducedModel"]

MODELS: dict[str, type[ReducedModel]] = {
    kind.__name__: kind for kind in (GITTModel, LumpedSPMR, LumpedSPMeR, SingleElectrodeLumpedSPMR, ECM)
}
"""By the names that documents have for them, which are those of the classes."""
