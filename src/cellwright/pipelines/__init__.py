"""Ready pipelines (`cw.pipelines`): functions that return the elements of a usual workflow.

Each returns a dict of named elements, those that one would write by hand and nothing else. They can be looked at,
changed and merged before a pipeline is made of them:

    cw.Pipeline({**half_cell.defaults(), **half_cell.diffusivity_gitt("positive", "file:gitt.csv", …)})

The functions read the data once, for starts and bounds and to tell early what is wrong with them. Three arguments are
common to those that fit: `params_to_fit` names free parameters to stand in place of those of the same name or beside
them, None leaves one out; `objective_kwargs` are further fields of the objectives, whose `options` are added to those
that are set here; `datafit_kwargs` are fields of the fit, such as `multistarts`.
"""

from cellwright.pipelines import full_cell, half_cell

__all__ = ["full_cell", "half_cell"]
