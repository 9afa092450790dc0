"""How often the 95 % intervals of a fit hold the truth: repeated noise on a synthetic SPM cell.

Two diffusivities from a 1C discharge of 101 points with 1 mV of noise. Right intervals hold the truth in 95 % of the
repetitions; with 100 of them the count itself scatters by 2.2 % (one σ).

    python benchmarks/coverage.py [repetitions]
"""

import sys
from collections import defaultdict
from time import perf_counter

import numpy as np

import cellwright as cw
from cellwright.schema.parameters import Origin
from cellwright.testing.cells import discharge, published

TRUTH = {"Negative particle diffusivity [m2.s-1]": 2e-14, "Positive particle diffusivity [m2.s-1]": 5e-15}
BOUNDS = ((1e-15, 1e-12), (1e-16, 1e-13))
NOISE = 1e-3


def main(repetitions: int) -> None:
    """Print the coverage, the mean standard error and the scatter of each parameter."""
    cell = published().merge(TRUTH, Origin("truth"))
    clean = discharge(cell)
    known = cw.direct_entries.DirectEntry({n: v for n, v in cell.values_.items() if n not in TRUTH}, source="truth")
    held, errors, values = defaultdict(int), defaultdict(list), defaultdict(list)
    began = perf_counter()
    for seed in range(repetitions):
        voltage = np.array(clean["Voltage [V]"]) + NOISE * np.random.default_rng(seed).normal(size=101)
        fit = cw.DataFit(
            cw.objectives.CurrentDriven({**clean, "Voltage [V]": voltage.tolist()}, options={"model": "SPM"}),
            parameters={
                name: cw.transforms.Log10(cw.Parameter(name, 1.3 * true, bounds))
                for (name, true), bounds in zip(TRUTH.items(), BOUNDS, strict=True)
            },
        )
        record = cw.run(cw.Pipeline({"known": known, "fit": fit})).element("fit")
        for row in record.result["parameters"]:
            low, high = row["interval"]
            held[row["name"]] += low <= TRUTH[row["name"]] <= high
            errors[row["name"]].append(row["std_error"])
            values[row["name"]].append(row["value"])
    print(f"{repetitions} repetitions in {perf_counter() - began:.0f} s")
    for name in TRUTH:
        print(
            f"{name}: {100 * held[name] / repetitions:.0f} % held; "
            f"mean standard error {np.mean(errors[name]):.3e}, scatter {np.std(values[name], ddof=1):.3e}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
