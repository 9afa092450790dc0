"""Particle swarms.

The algorithm is our own, since `pints.PSO` has neither an inertia nor a constriction, no limit of the speed and one
way to treat bounds, and the options of the contract choose among all of these.
"""

from collections.abc import Iterator, Mapping
from math import sqrt
from typing import ClassVar, Literal

import numpy as np

from cellwright.catalog.estimators.ask_tell import AlgorithmOptions
from cellwright.catalog.estimators.bounds import HANDLINGS, first_population, handled, outside
from cellwright.catalog.estimators.generations import GenerationalSearch
from cellwright.errors import CellwrightError, ConfigurationError
from cellwright.schema.families import Array
from cellwright.schema.search import Space
from cellwright.schema.variant import Example

PULL = 2.05
"""Weight of each of the two pulls."""
INERTIA = (0.9, 0.4)
"""Weight of the old speed at the start and at the horizon, where there is no constriction."""
HORIZON = 1000
"""Iterations over which an inertia, or a limit of the speed, falls."""
FASTEST = 0.2
"""Limit of the speed, as a fraction of the range."""
SLOWEST = 0.1
"""What is left at the horizon of a limit that falls."""


class PSOOptions(AlgorithmOptions):
    """Options of the particle swarm: inertia or constriction, pulls, what happens at bounds, limits of the speed.

    With `constriction` (True unless an inertia is given) each new speed is multiplied by Clerc & Kennedy's factor;
    without, the old speed by `inertia_weight` (0.9, 0.4): the first number at the start, the second after
    `max_iterations` (those of the search, else 1000), linear in between. `c1` and `c2` (2.05) weigh the pulls to the
    best place of the particle and of the swarm. `boundary_handling`: "reflect" (mirrored, the speed turned round),
    "absorb" (put on the bound, stopped), "random" (drawn anew, stopped), "ignore" (flies on, not evaluated).
    `velocity_clamping`: "fraction" limits each speed to `v_max_fraction` (0.2) of the range, "adaptive" to a limit that
    falls from there to a tenth of it after `max_iterations`, "none" does not limit it.
    """

    words: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "boundary_handling": HANDLINGS,
        "velocity_clamping": ("fraction", "adaptive", "none"),
    }

    inertia_weight: tuple[float, float] | list[float] | None = None
    constriction: bool | None = None
    c1: float | None = None
    c2: float | None = None
    boundary_handling: str | None = None
    velocity_clamping: str | None = None
    v_max_fraction: float | None = None
    max_iterations: int | None = None

    @property
    def constricted(self) -> bool:
        """Whether speeds are constricted; else they have an inertia."""
        return self.inertia_weight is None if self.constriction is None else self.constriction

    @property
    def pulls(self) -> tuple[float, float]:
        """The weights of the pulls to the particle's own best place and to that of the swarm."""
        return PULL if self.c1 is None else self.c1, PULL if self.c2 is None else self.c2

    def refusals(self) -> Iterator[CellwrightError]:
        """Yield what cannot be meant, and what has no effect beside the rest."""
        yield from super().refusals()
        own, common = self.pulls
        if self.constricted and self.inertia_weight is not None:
            yield _refused("inertia_weight", "a swarm has an inertia or a constriction, not both")
        if self.constricted and own + common <= 4:
            said = f"a constriction needs pulls of more than 4 together, these are {own + common:g}"
            yield _refused("c1" if self.c1 is not None else "c2", said, "raise them, or give an inertia_weight")
        if min(own, common) < 0:
            yield _refused("c1" if own < 0 else "c2", "a pull cannot be negative")
        fixed = self.constricted and self.word("velocity_clamping") != "adaptive"
        if fixed and self.max_iterations not in {None, HORIZON}:
            said = "only an inertia and an adaptive limit of the speed change with the iterations"
            yield _refused("max_iterations", said, "leave it out, or give an inertia_weight")
        if self.max_iterations is not None and self.max_iterations < 1:
            yield _refused("max_iterations", "the horizon is one iteration at least")
        if self.inertia_weight is not None and len(self.inertia_weight) != 2:
            yield _refused("inertia_weight", "the inertia is two numbers: at the start, at the horizon")
        if self.velocity_clamping == "none" and self.v_max_fraction not in {None, FASTEST}:
            yield _refused("v_max_fraction", "without a limit of the speed this has no effect")
        if self.v_max_fraction is not None and self.v_max_fraction <= 0:
            yield _refused("v_max_fraction", "the limit of the speed is above 0")


class PSO(GenerationalSearch):
    """Particle swarm: points with a speed, each drawn to the best place it has seen and to the best of all.

    v ← χ (w v + c₁ r₁ (p − x) + c₂ r₂ (g − x)), x ← x + v, with r₁, r₂ uniform in 0 to 1 for each particle and
    parameter. Constricted: w = 1, χ = 2 / |2 − φ − √(φ² − 4φ)|, φ = c₁ + c₂; else χ = 1 and w falls with the
    iterations. `population_size` is unless given 10 + 2 √d for d parameters; the first particle is the start, the
    others lie on a Latin hypercube of the bounds, or with `sigma0` normal around the start.

    Source: Kennedy & Eberhart, Proc. ICNN'95 (1995) 1942, doi:10.1109/ICNN.1995.488968; Clerc & Kennedy, IEEE Trans.
    Evol. Comput. 6 (2002) 58, doi:10.1109/4235.985692 (constriction); Shi & Eberhart, Proc. ICEC (1998) 69,
    doi:10.1109/ICEC.1998.699146 (inertia).
    """

    global_search: ClassVar[bool] = True
    example: ClassVar[Example | None] = Example(fields={"algorithm_options": {"constriction": True, "c1": 2.05}})

    type: Literal["PSO"] = "PSO"
    algorithm_options: PSOOptions | None = None

    def algorithm(self, space: Space, rng: np.random.Generator) -> "Swarm":
        """Return the swarm at its first places."""
        size = self.population_size or 10 + int(2 * sqrt(len(space.dimensions)))
        options = self.algorithm_options or PSOOptions()
        horizon = options.max_iterations or self.max_iterations or HORIZON
        return Swarm(space, first_population(space, size, self.sigma(space), rng), options, horizon, rng)


class Swarm:
    """The particles of a swarm: places, speeds, and the best places that each has seen."""

    ended = ""

    def __init__(
        self, space: Space, places: Array, options: PSOOptions, horizon: int, rng: np.random.Generator
    ) -> None:
        self.space, self.options, self.horizon, self.rng = space, options, horizon, rng
        self.places = places
        self.best, self.best_costs = places.copy(), np.full(len(places), np.inf)
        self.moves = 0
        # Half the way to another point of the box, so that few particles leave it at once.
        other = space.lower + rng.random(places.shape) * (space.upper - space.lower)
        self.speeds = self._clamped((other - places) / 2)

    @property
    def population(self) -> tuple[Array, Array]:
        """The best places of the particles and their costs."""
        return self.best, self.best_costs

    def ask(self) -> Array:
        """Return the places (n, d)."""
        return self.places

    def tell(self, costs: Array) -> None:
        """Take the costs (n,) of the places, and move."""
        better = costs < self.best_costs
        self.best[better], self.best_costs[better] = self.places[better], costs[better]
        self._move()

    def _move(self) -> None:
        leader = int(np.argmin(self.best_costs))
        common = self.best[leader] if np.isfinite(self.best_costs[leader]) else self.places
        own_pull, common_pull = self.options.pulls
        own_chance, common_chance = self.rng.random((2, *self.places.shape))
        pulled = own_pull * own_chance * (self.best - self.places) + common_pull * common_chance * (
            common - self.places
        )
        self.speeds = self._clamped(self._constriction * (self._inertia * self.speeds + pulled))
        self.moves += 1
        flown = self.places + self.speeds
        handling = self.options.word("boundary_handling")
        out = outside(flown, self.space)
        self.places = handled(flown, self.space, handling, self.rng)
        if handling == "reflect":
            self.speeds = np.where(out, -self.speeds, self.speeds)
        elif handling != "ignore":
            self.speeds = np.where(out, 0.0, self.speeds)

    @property
    def _constriction(self) -> float:
        if not self.options.constricted:
            return 1.0
        phi = sum(self.options.pulls)
        return 2 / abs(2 - phi - sqrt(phi**2 - 4 * phi))

    @property
    def _inertia(self) -> float:
        if self.options.constricted:
            return 1.0
        first, last = self.options.inertia_weight or INERTIA
        return float(first + (last - first) * self._elapsed)

    @property
    def _elapsed(self) -> float:
        """The fraction of the horizon that is behind the swarm."""
        return min(self.moves / self.horizon, 1.0)

    def _clamped(self, speeds: Array) -> Array:
        clamping = self.options.word("velocity_clamping")
        if clamping == "none":
            return speeds
        fraction = FASTEST if self.options.v_max_fraction is None else self.options.v_max_fraction
        if clamping == "adaptive":
            fraction *= 1 - (1 - SLOWEST) * self._elapsed
        fastest = fraction * (self.space.upper - self.space.lower)
        return np.clip(speeds, -fastest, fastest)


def _refused(field: str, said: str, hint: str = "leave it out") -> ConfigurationError:
    return ConfigurationError(said, at=(field,), hint=hint)
