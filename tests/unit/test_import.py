"""Cellwright is light to import: what is heavy waits until it is needed."""

import subprocess
import sys

IMPORT_LIMIT = 0.3
"""Seconds, from the design. CPU time is measured, because the test run shares its cores."""
HEAVY = {"pybamm", "fastapi", "sqlalchemy", "httpx", "pandas", "polars", "scipy", "plotly"}

TIMED_IMPORT = "import time; start = time.process_time(); import cellwright; print(time.process_time() - start)"
PIPELINE_AND_MODULES = """
import sys
import cellwright as cw
from cellwright.cli.describe import notes

known = cw.direct_entries.DirectEntry(parameters={"Ambient temperature [K]": 298.15}, source="datasheet")
capacity = cw.calculations.ElectrodeCapacity(electrode="positive")
pipeline = cw.Pipeline({"known": known, "Q_pos": capacity}, name="light")
assert cw.Pipeline.from_config(pipeline.to_config()).to_config() == pipeline.to_config()
assert notes()
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_takes_less_than_its_limit() -> None:
    assert min(float(python(TIMED_IMPORT)) for _ in range(5)) < IMPORT_LIMIT


def test_building_and_describing_a_pipeline_imports_nothing_heavy() -> None:
    loaded = set(python(PIPELINE_AND_MODULES).split())
    assert loaded & HEAVY == set()
