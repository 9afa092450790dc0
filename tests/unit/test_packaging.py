"""What stands around the code agrees with it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def distribution(requirement: str) -> str:
    return re.split(r"[<>=\[ ;]", requirement)[0]


def test_every_dependency_has_its_reason() -> None:
    page = (ROOT / "docs/decisions/0001-dependencies.md").read_text(encoding="utf-8")
    groups = PROJECT["dependency-groups"]
    declared = [*PROJECT["project"]["dependencies"], *groups["dev"], *groups["bench"]]
    declared += [name for extra in PROJECT["project"]["optional-dependencies"].values() for name in extra]
    missing = {name for name in map(distribution, declared) if not re.search(rf"\b{re.escape(name)}\b", page)}
    assert missing == set()


def test_the_run_time_table_lists_what_is_declared_and_nothing_else() -> None:
    page = (ROOT / "docs/decisions/0001-dependencies.md").read_text(encoding="utf-8")
    table = page.split("## At run time")[1].split("##")[0]
    listed = set(re.findall(r"^\| ([a-z0-9-]+) \|", table, flags=re.MULTILINE)) - {"package"}
    assert listed == {distribution(requirement) for requirement in PROJECT["project"]["dependencies"]}


def test_the_reference_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "tools/reference.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_readme_links_to_files_that_exist() -> None:
    for page in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\((?!http)([^)#]+)", (ROOT / page).read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{page} links to {target}"


def test_the_demo_ships_its_measurements_with_provenance_and_licence() -> None:
    folder = ROOT / "src/cellwright/demo/lg_m50"
    provenance = (folder / "README.md").read_text(encoding="utf-8")
    assert "BSD 3-Clause" in (folder / "LICENSE").read_text(encoding="utf-8")
    for stem in ("0.1C", "0.5C", "1C", "2C"):
        assert (folder / f"cycle_25degC_{stem}.csv").is_file()
        assert stem in provenance
    document = yaml.safe_load((folder / "cell.yaml").read_text(encoding="utf-8"))
    named = re.findall(r"file:([^\"'\s]+)", (folder / "cell.yaml").read_text(encoding="utf-8"))
    assert document["elements"]
    assert named
    assert all((folder / name).is_file() for name in named)
