"""The library of materials: published values, looked up by name."""

from importlib.resources import files

import ionworks_schema
import numpy as np
import pytest
import yaml

import cellwright as cw
from cellwright.catalog.sites import sites_of
from cellwright.errors import NotFoundError
from cellwright.schema.names import ELECTRODES, names_of
from cellwright.schema.parameters import Origin, ParameterSet

NAMES = ionworks_schema.Library.list_materials()


def test_the_library_lists_the_published_materials() -> None:
    assert cw.Library.list_materials() == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_material_has_the_published_numbers(name: str) -> None:
    ours, theirs = cw.Library.get_material(name), ionworks_schema.Library.get_material(name)
    assert ours.name == theirs.name
    assert ours.parameter_values == theirs.parameter_values


@pytest.mark.parametrize("name", NAMES)
def test_a_material_is_a_whole_msmr_set(name: str) -> None:
    material = cw.Material.from_library(name)
    p = ParameterSet().merge(material.parameter_values, Origin("library"))
    (electrode,) = (e for e in ELECTRODES if any(e.capitalize() in key for key in material.parameter_values))
    sites = sites_of(p, names_of(electrode))
    assert len(sites.U0) == len(sites.X) == len(sites.w)
    assert sum(sites.X) == pytest.approx(1.0, abs=1e-4)
    assert min(sites.X) > 0
    assert min(sites.w) > 0


@pytest.mark.parametrize("name", NAMES)
def test_a_material_names_its_source_and_has_a_file_of_its_own(name: str) -> None:
    material = cw.Material.from_library(name)
    assert "doi:10.1149/" in (material.source or "")
    assert material.description
    folder = files("cellwright.catalog.library") / "materials"
    documents = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in folder.iterdir()]
    assert [document["name"] for document in documents].count(name) == 1
    assert len(documents) == len(NAMES)


def test_a_material_goes_into_a_pipeline_with_its_source() -> None:
    material = cw.Material.from_library("NMC - Verbrugge 2017")
    entry = material.entry()
    assert entry.to_config() == {"source": material.source, "values": material.parameter_values}
    assert cw.Pipeline({"positive": entry}).to_config()["elements"]["positive"]["element_type"] == "entry"


def test_what_is_taken_out_of_the_library_is_a_copy() -> None:
    name = "LFP - Verbrugge 2017"
    key = "Negative electrode host site occupancy fraction"
    cw.Material.from_library(name).parameter_values[key][0] = np.nan
    assert cw.Material.from_library(name).parameter_values[key] == [0.82584, 0.17416]


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="no material 'NMC - Verbruge 2017'") as caught:
        cw.Library.get_material("NMC - Verbruge 2017")
    assert caught.value.hint == "did you mean 'NMC - Verbrugge 2017'?"
    with pytest.raises(NotFoundError) as caught:
        cw.Material.from_library("unobtainium")
    assert "Graphite - Verbrugge 2017" in str(caught.value.hint)


def test_a_material_is_built_by_position_as_in_the_contract() -> None:
    assert cw.Material("a", "b", {"c": 1}).parameter_values == {"c": 1}
    assert cw.Material("a").parameter_values == {}
    with pytest.raises(cw.CellwrightError, match="densty"):
        cw.Material("a", densty=1)
