"""Each example runs as it stands, from any folder, and leaves no file but the picture that is asked for."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONG = {"electrode_design": "eleven searches and three Ragone plots take a minute and a half; its parts are tested"}
NAMES = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))


def ran(folder: Path, *arguments: str) -> str:
    """Run a script in an empty folder and return what it has printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ
        | {"PYTHONPATH": str(ROOT / "src"), "MPLBACKEND": "Agg", "CELLWRIGHT_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LONG])
def test_an_example_prints_a_table_and_draws_a_picture_of_the_pages(name, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    assert len(ran(tmp_path, str(ROOT / "examples" / f"{name}.py"), "pictures").splitlines()) > 5
    (picture,) = pictures.iterdir()
    assert (ROOT / "docs" / "pictures" / picture.name).is_file()
    assert [path.name for path in tmp_path.iterdir() if path.name not in {"pictures", "home"}] == []


@pytest.mark.parametrize("name", LONG)
def test_a_long_example_is_at_least_read(name):
    assert callable(runpy.run_path(str(ROOT / "examples" / f"{name}.py"), run_name="read")["main"])


def test_the_list_of_examples_names_each():
    listed = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"]({name}.py)" not in listed] == []
