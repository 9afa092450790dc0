"""The work of a fit as pools take it: objectives that predict at many points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cellwright.schema.parameters import ParameterSet
from cellwright.schema.simulation import Simulate, Solved
from cellwright.schema.values import digest
from cellwright.schema.work import Answer, Task, Work

if TYPE_CHECKING:  # a worker whose models come built needs none of the catalogue
    from cellwright.schema.families import Objective, Prepared


@dataclass(frozen=True)
class Recipe:
    """How an objective is made ready where it did not come so."""

    objective: "Objective"
    parameters: ParameterSet
    free: tuple[str, ...]
    simulate: Simulate

    def __call__(self) -> "Prepared":
        """Build the objective's models."""
        return self.objective.prepare(self.parameters, self.free, self.simulate)


@dataclass(frozen=True)
class ObjectiveJob:
    """The objectives that a pool's workers predict.

    Those whose models are `portable` travel built, and need no PyBaMM where they arrive; the others are built there,
    and thinned there, so that every pool gives the same numbers.
    """

    ready: Mapping[str, "Prepared"]
    recipes: Mapping[str, Recipe]
    digest: str
    looked_at: Sequence[Mapping[str, float]] = ()
    """The points at which the models of a search were thinned."""

    @classmethod
    def of(
        cls,
        ready: Mapping[str, "Prepared"],
        objectives: Mapping[str, "Objective"],
        p: ParameterSet,
        free: tuple[str, ...],
        simulate: Simulate,
    ) -> "ObjectiveJob":
        """Return the job, with the digest of all it depends on."""
        key = digest([{n: o.digest() for n, o in objectives.items()}, dict(p.values_), list(free)])
        return cls(dict(ready), {name: Recipe(one, p, free, simulate) for name, one in objectives.items()}, key)

    @classmethod
    def merged(cls, jobs: Sequence["ObjectiveJob"]) -> "ObjectiveJob":
        """Return the job of all objectives of some jobs, which are named differently and thinned at the same points."""
        return cls(
            {name: one for job in jobs for name, one in job.ready.items()},
            {name: recipe for job in jobs for name, recipe in job.recipes.items()},
            digest([job.digest for job in jobs]),
            jobs[0].looked_at,
        )

    def __call__(self) -> Work:
        """Build the models that did not come built; return the function that answers tasks."""
        ready = {name: self.ready.get(name) or self._made(name) for name in {**self.ready, **self.recipes}}

        def answers(tasks: Sequence[Task]) -> list[Answer]:
            solved: dict[int, Solved] = {}
            for name in dict.fromkeys(task.objective for task in tasks):
                places = [place for place, task in enumerate(tasks) if task.objective == name]
                points = [tasks[place].inputs for place in places]
                solved.update(zip(places, predictions(ready[name], points), strict=True))
            return [Answer(one.status, one.outputs, one.message) for _, one in sorted(solved.items())]

        return answers

    def thinned(self, points: Sequence[Mapping[str, float]]) -> "ObjectiveJob":
        """Return the job of a search: with models that are evaluated at as few times as these points need."""
        ready = {name: _thinned(one, points) for name, one in self.ready.items()}
        key = digest([self.digest, "thinned", list(map(dict, points))])
        return replace(self, ready=ready, digest=key, looked_at=points)

    def _made(self, name: str) -> "Prepared":
        one = self.recipes[name]()
        return _thinned(one, self.looked_at) if self.looked_at else one

    def __getstate__(self) -> dict[str, Any]:
        portable = {name: one for name, one in self.ready.items() if getattr(one, "portable", False)}
        rest = {name: recipe for name, recipe in self.recipes.items() if name not in portable}
        return {"ready": portable, "recipes": rest, "digest": self.digest, "looked_at": self.looked_at}


def predictions(one: "Prepared", points: Sequence[Mapping[str, float]]) -> list[Solved]:
    """Return what an objective predicts at each of the points: together where it can do many at once."""
    many = getattr(one, "predict_many", None)
    return many(points) if many is not None else [one.predict(point) for point in points]


def _thinned(one: "Prepared", points: Sequence[Mapping[str, float]]) -> "Prepared":
    thin = getattr(one, "thinned", None)
    found: Prepared = one if thin is None else thin(points)
    return found
