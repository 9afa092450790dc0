"""Objectives: what a fit or a validation compares (`cw.objectives`)."""

from cellwright.catalog.objectives.current_driven import CurrentDriven, CurrentDrivenOptions

__all__ = ["CurrentDriven", "CurrentDrivenOptions"]
