"""The family of metrics: numbers that are read from a simulated experiment."""

from collections.abc import Iterator
from typing import Any, ClassVar

from cellwright.schema.record import Array, Stretch
from cellwright.schema.variant import Member


class Metric(Member):
    """A number, or several, that is read from a simulated experiment."""

    verb: ClassVar[str] = "measure"
    at_ends: ClassVar[bool] = False
    """Whether it looks at the first and the last moment of steps alone."""

    def measure(self, stretch: Stretch) -> Array:
        """Return the value, an array without dimensions, or several values; NaN for what is not there.

        Of an experiment that ended early is not there what did not begin, and of what did not come to its end all but
        its beginning and the values that it has passed.
        """
        raise self.not_yet()

    @property
    def unit(self) -> str | None:
        """The unit of the value, None where it has none or it is not known."""
        return None

    def gap(self, stretch: Stretch) -> str:
        """Return why there is no value of a stretch that came to its end, where that can be told; else nothing."""
        return ""

    def parts(self) -> Iterator["Metric"]:
        """Yield the metric and all that it is made of."""
        yield self

    @property
    def variables(self) -> frozenset[str]:
        """The variables of the model that it reads."""
        read = (getattr(part, "reads", ()) for part in self.parts())
        return frozenset(name for names in read for name in names)

    @property
    def parameters(self) -> frozenset[str]:
        """The parameters that it reads."""
        looked_up = (getattr(part, "looks_up", ()) for part in self.parts())
        return frozenset(name for names in looked_up for name in names)

    @property
    def kept_at_ends(self) -> bool:
        """Whether the first and the last moment of each step are all that it needs."""
        return all(part.at_ends for part in self.parts())

    def numbers(self) -> frozenset[int] | None:
        """Return the cycles, by their number from 0, that it cannot do without; None where it needs all of them."""
        return None

    def by_cycle(self, step: int | None = None, cycles: list[int] | None = None) -> "Metric":
        """Return the metric of each cycle, or of a step of each cycle, as an array over the cycles."""
        return _made("CyclewiseMetric", metric=self, step=step, cycles=cycles)

    def by_step(self, steps: list[int] | None = None) -> "Metric":
        """Return the metric of each step as an array over the steps."""
        return _made("StepwiseMetric", metric=self, steps=steps)

    def __add__(self, other: Any) -> "Metric":
        return _made("ComposedMetric", operation="add", left=self, right=other)

    def __radd__(self, other: Any) -> "Metric":
        return _made("ComposedMetric", operation="add", left=other, right=self)

    def __sub__(self, other: Any) -> "Metric":
        return _made("ComposedMetric", operation="sub", left=self, right=other)

    def __rsub__(self, other: Any) -> "Metric":
        return _made("ComposedMetric", operation="sub", left=other, right=self)

    def __mul__(self, other: Any) -> "Metric":
        return _made("ComposedMetric", operation="mul", left=self, right=other)

    def __rmul__(self, other: Any) -> "Metric":
        return _made("ComposedMetric", operation="mul", left=other, right=self)

    def __truediv__(self, other: Any) -> "Metric":
        return _made("ComposedMetric", operation="div", left=self, right=other)

    def __rtruediv__(self, other: Any) -> "Metric":
        return _made("ComposedMetric", operation="div", left=other, right=self)

    def __abs__(self) -> "Metric":
        return _made("ComposedMetric", operation="abs", left=self)


def _made(tag: str, **fields: Any) -> Metric:
    return Metric.parse({"type": tag, **{name: value for name, value in fields.items() if value is not None}})
