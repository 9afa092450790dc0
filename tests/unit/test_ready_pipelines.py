"""Ready pipelines: their elements are those of the long form, readers of the contract read them, mistakes are told."""

import json

import ionworks_schema as iws
import numpy as np
import polars as pl
import pytest

import cellwright as cw
from cellwright.errors import ConfigurationError, DataError, NotFoundError
from cellwright.pipelines import full_cell, half_cell

GRAPHITE = {"Stoichiometry": [0.0, 0.5, 1.0], "Voltage [V]": [1.0, 0.15, 0.05]}
NMC = {"Stoichiometry": [0.2, 0.6, 1.0], "Voltage [V]": [4.4, 3.8, 3.4]}
Q, LOW = "Negative electrode capacity [A.h]", "Negative electrode lower excess capacity [A.h]"
D, OHM = "Positive particle diffusivity [m2.s-1]", "Ohmic resistance [Ohm]"
SITES = "Negative electrode host site"
SLOW = {"Capacity [A.h]": np.linspace(0.1, 5.1, 30), "Voltage [V]": np.linspace(1.0, 0.05, 30)}
LEAVING = {"Capacity [A.h]": np.linspace(0.0, 4.0, 30), "Voltage [V]": np.linspace(0.05, 1.0, 30)}
CELL = {"Capacity [A.h]": np.linspace(0.0, 5.0, 30), "Voltage [V]": np.linspace(4.2, 2.5, 30)}
TWO_SITES = {
    f"{SITES} standard potential [V]": [0.1, 0.3],
    f"{SITES} occupancy fraction": [1.2, 0.8],
    f"{SITES} ideality factor": [0.5, 2.0],
}
KNOWN = {
    "Positive particle radius [m]": 5e-6,
    "Maximum concentration in positive electrode [mol.m-3]": 5e4,
    "Positive electrode active material volume fraction": 0.6,
    "Positive electrode thickness [m]": 8e-5,
}


def pulses(count=3, ohm=10.0):
    """A half cell of a falling potential, 0.1 V for each 0.1 mA.h, and a resistance alone."""
    rows = {"Time [s]": [0.0], "Current [A]": [0.0], "Voltage [V]": [4.0]}
    for _ in range(count):
        rest = rows["Voltage [V]"][-1]
        loaded = rest - 1e-3 * ohm
        steps = [(1, 0.0, rest), (1, 1e-3, loaded), (360, 1e-3, loaded - 0.1), (1, 0.0, rest - 0.1)]
        for after, current, voltage in [*steps, (3600, 0.0, rest - 0.1)]:
            rows["Time [s]"].append(rows["Time [s]"][-1] + after)
            rows["Current [A]"].append(current)
            rows["Voltage [V]"].append(voltage)
    return rows


def cut_off():
    """A pulse that begins with the data."""
    rows = {name: values[2:5] for name, values in pulses(1).items()}
    with pytest.warns(UserWarning, match="without a rest"):
        return cw.split_pulses(rows, incomplete=True)


def rates():
    """Three measurements of different currents."""
    return {
        name: {"Time [s]": [0.0, 1.0, 3000.0], "Current [A]": [0.0, amps, amps], "Voltage [V]": [4.1, 4.0, low]}
        for name, amps, low in (("C/2", 2.5, 2.6), ("1C", 5.0, 2.5), ("2C", 10.0, 2.8))
    }


def written(elements):
    return json.loads(json.dumps(cw.Pipeline(elements).to_config()))


READY = {
    "defaults": lambda: half_cell.defaults(c_e=1200, T=310),
    "msmr": lambda: half_cell.ocp_msmr("negative", SLOW, material="Graphite - Verbrugge 2017"),
    "msmr of both directions": lambda: half_cell.ocp_msmr_interpolant(
        "negative", {"lithiation": SLOW, "delithiation": LEAVING}, material="Graphite - Verbrugge 2017"
    ),
    "titration": lambda: {
        **half_cell.defaults(),
        **half_cell.diffusivity_gitt("negative", pulses(), KNOWN, start=0.3, capacity=1e-3),
    },
    "titration on a potential": lambda: half_cell.diffusivity_gitt(
        "positive", pulses(), ocp={"Stoichiometry": [0.0, 0.5, 1.0], "Voltage [V]": [4.5, 4.0, 3.5]}
    ),
    "balancing": lambda: full_cell.balancing(CELL, GRAPHITE, NMC, voltage_limits=(2.5, 4.2)),
    "balancing with hysteresis": lambda: full_cell.balancing(
        CELL, {"lithiation": GRAPHITE, "delithiation": GRAPHITE}, NMC, prefix="C/10: "
    ),
    "rates": lambda: full_cell.rate_capability(rates(), held_out="1C", known={"Nominal cell capacity [A.h]": 5.0}),
}


@pytest.mark.parametrize("ready", READY.values(), ids=READY)
def test_what_is_ready_is_read_by_the_package_of_the_contract_and_by_ours(ready):
    config = written(ready())
    assert written(cw.Pipeline.from_config(config).elements) == config
    # The table of a fit that went before is a reference of ours, which their package does not know.
    theirs = {name: one for name, one in config["elements"].items() if not str(one.get("data")).startswith("table:")}
    assert len(theirs) >= len(config["elements"]) - 1
    iws.Pipeline(theirs)


def test_half_cells_begin_with_four_entries():
    entries = cw.direct_entries
    assert written(half_cell.defaults(c_e=1200, T=310)) == written(
        {
            "lithium metal": entries.lithium_metal_anode(),
            "electrolyte": entries.nyman_electrolyte(c_e=1200),
            "temperatures": entries.temperatures(T=310),
            "standard defaults": entries.standard_defaults(),
        }
    )


def test_an_msmr_fit_is_the_long_form():
    found = half_cell.ocp_msmr_interpolant("negative", SLOW, material=TWO_SITES)
    start = {
        Q: 5.0,
        LOW: -0.1,
        f"{SITES} standard potential (0) [V]": 0.3,
        f"{SITES} occupancy fraction (0)": 0.4,
        f"{SITES} ideality factor (0)": 2.0,
        f"{SITES} standard potential (1) [V]": 0.1,
        f"{SITES} occupancy fraction (1)": 0.6,
        f"{SITES} ideality factor (1)": 0.5,
    }
    free = {Q: cw.Parameter(Q, bounds=(4.9, 10.0)), LOW: cw.Parameter(LOW, bounds=(-0.1, 4.9))}
    for index, (U0, w) in enumerate([(0.3, 2.0), (0.1, 0.5)]):
        potential, fraction, ideality = list(start)[2 + 3 * index : 5 + 3 * index]
        free[potential] = cw.Parameter(potential, bounds=(U0 - 0.2, U0 + 0.2))
        free[fraction] = cw.Parameter(fraction, bounds=(0.0, 1.0))
        free[ideality] = cw.transforms.Log(cw.Parameter(ideality, bounds=(w / 10, w * 10)))
    options = {
        "model": {"electrode": "negative", "options": {"species format": "Xj"}},
        "objective variables": ["Voltage [V]"],
    }
    source = "sites: given; capacities: the span and the beginning of the data"
    by_hand = {
        "negative MSMR start": cw.direct_entries.DirectEntry(start, source=source),
        "negative MSMR": cw.DataFit({"half cell": cw.objectives.MSMRHalfCell(SLOW, options=options)}, parameters=free),
        "negative OCP": cw.calculations.OCPMSMRInterpolant("negative", (0.05, 1.0)),
    }
    for one in ("negative MSMR start", "negative OCP"):
        assert written({one: found[one]}) == written({one: by_hand[one]})
    assert list(found) == list(by_hand)
    ours, theirs = found["negative MSMR"], by_hand["negative MSMR"]
    assert ours.objectives["half cell"].to_config() == theirs.objectives["half cell"].to_config()
    assert list(ours.parameters) == list(theirs.parameters)
    for name, one in theirs.plain.items():
        # The span of the data is known to rounding.
        assert ours.plain[name].bounds == pytest.approx(one.bounds, rel=1e-12), name
        assert type(ours.parameters[name]) is type(theirs.parameters[name])


def test_directions_are_fitted_each_and_their_sets_averaged():
    found = half_cell.ocp_msmr_interpolant(
        "negative",
        {"lithiation": SLOW, "delithiation": LEAVING},
        material={"lithiation": TWO_SITES, "delithiation": "Silicon (delithiation) - Verbrugge 2017"},
        voltage_limits=(0.01, 1.5),
    )
    assert list(found) == [
        "negative lithiation MSMR start",
        "negative lithiation MSMR",
        "negative delithiation MSMR start",
        "negative delithiation MSMR",
        "negative mean MSMR",
        "negative lithiation OCP",
        "negative delithiation OCP",
        "negative OCP",
    ]
    start = found["negative delithiation MSMR start"].parameters
    assert start["Negative electrode delithiation host site standard potential (0) [V]"] == 0.71796
    # What leaves is counted: all 4 A.h of it were in at the beginning.
    assert start[LOW] == 4.0
    options = found["negative delithiation OCP"].options
    assert options.direction == "delithiation"
    assert found["negative OCP"].voltage_limits == (0.01, 1.5)


def test_a_material_of_the_other_electrode_starts_under_the_name_of_this_one():
    found = half_cell.ocp_msmr("positive", SLOW, material="LFP - Verbrugge 2017")
    names = found["positive MSMR start"].parameters
    assert all(name.startswith("Positive electrode") for name in names)
    assert "doi" in found["positive MSMR start"].source


def test_parameters_objectives_and_fits_can_be_changed_beforehand():
    more = "Negative electrode host site standard potential (2) [V]"
    found = half_cell.ocp_msmr(
        "negative",
        SLOW,
        {Q: cw.Parameter(Q, 6.0, (5.0, 7.0)), LOW: None, more: cw.Parameter(more, 0.05)},
        {"options": {"GITT": True, "preserve U0j order": True}, "parameters": {"Ambient temperature [K]": 300.0}},
        {"multistarts": 3},
        material=TWO_SITES,
    )
    fit = found["negative MSMR"]
    assert fit.parameters[Q].initial_value == 6.0
    assert LOW not in fit.parameters
    assert more in fit.parameters
    assert fit.multistarts == 3
    objective = fit.objectives["half cell"].to_config()
    assert objective["options"]["GITT"] is True
    assert objective["options"]["preserve U0j order"] is True
    assert objective["options"]["model"]["electrode"] == "negative"
    assert objective["parameters"] == {"Ambient temperature [K]": 300.0}


def test_a_titration_is_the_long_form():
    train = cw.split_pulses(pulses())
    found = half_cell.diffusivity_gitt("negative", pulses(), KNOWN, start=0.3, capacity=1e-3)
    area = 1e-3 * 3600 / (96485.33212331001 * 5e4 * 0.6 * 8e-5)
    known = {**KNOWN, "Nominal cell capacity [A.h]": 1e-3, "Electrode cross-sectional area [m2]": area}
    model = cw.models.GITTModel(options={"working electrode": "positive"})
    by_hand = {
        "negative half cell": cw.direct_entries.DirectEntry(known, source="given"),
        "negative rests": cw.calculations.OCPDataInterpolant(
            "positive", train.open_circuit(0.3, 1e-3), options={"interpolator": "pchip"}
        ),
        "negative pulses": cw.ArrayDataFit(
            {
                sto: cw.objectives.Pulse(one, options={"model": model})
                for sto, one in train.by_stoichiometry(0.3, 1e-3).items()
            },
            parameters={
                D: cw.transforms.Log10(cw.Parameter(D, 5e-15, (1e-17, 1e-12))),
                # The first row under current, and the whole of a pulse, 110 mV at 1 mA.
                OHM: cw.Parameter(OHM, 10.0, (0.0, 110.0)),
            },
        ),
        "negative diffusivity": cw.calculations.DiffusivityDataInterpolant(
            "negative", f"table:{D}", options={"transformation": "log"}
        ),
    }
    ours, theirs = written(found), written(by_hand)
    one, other = (two["elements"]["negative half cell"]["values"] for two in (ours, theirs))
    assert one == pytest.approx(other, rel=1e-12)
    free, expected = (two["elements"]["negative pulses"].pop("parameters") for two in (ours, theirs))
    assert free[OHM]["bounds"] == pytest.approx(expected[OHM]["bounds"], rel=1e-9)
    assert free[OHM]["initial_value"] == pytest.approx(expected[OHM]["initial_value"], rel=1e-9)
    assert free[D] == expected[D]
    one.clear()
    other.clear()
    assert ours == theirs


def test_what_is_known_of_a_published_set_is_taken_under_the_name_of_a_half_cell():
    published = cw.direct_entries.DirectEntry(
        {
            "Negative particle radius [m]": 6e-6,
            "Maximum concentration in negative electrode [mol.m-3]": 3e4,
            "Negative electrode active material volume fraction": 0.7,
            "Negative electrode thickness [m]": 9e-5,
            "Positive electrode thickness [m]": 7e-5,
            "Electrode height [m]": 0.065,
            "Initial concentration in negative electrode [mol.m-3]": 2e4,
        },
        source="a paper",
    )
    entry = half_cell.diffusivity_gitt("negative", pulses(), published, start=0.3, capacity=1e-3)["negative half cell"]
    area = 1e-3 * 3600 / (96485.33212331001 * 3e4 * 0.7 * 9e-5)
    assert entry.source == "a paper"
    assert entry.parameters == {
        "Positive particle radius [m]": 6e-6,
        "Maximum concentration in positive electrode [mol.m-3]": 3e4,
        "Positive electrode active material volume fraction": 0.7,
        "Positive electrode thickness [m]": 9e-5,
        "Nominal cell capacity [A.h]": 1e-3,
        "Electrode cross-sectional area [m2]": pytest.approx(area, rel=1e-12),
    }


def test_pulses_are_placed_on_a_known_potential():
    found = half_cell.diffusivity_gitt(
        "positive", pulses(), ocp={"Stoichiometry": [0.0, 0.5, 1.0], "Voltage [V]": [4.5, 4.0, 3.5]}
    )
    assert list(found) == ["positive rests", "positive pulses", "positive diffusivity"]
    # Rests at 4, 3.9, 3.8 and 3.7 V lie at 0.5, 0.6, 0.7 and 0.8.
    assert [float(sto) for sto in found["positive pulses"].objectives] == pytest.approx([0.55, 0.65, 0.75], abs=1e-6)


def test_balancing_is_the_long_form():
    names = {
        "Negative electrode lower excess capacity [A.h]": (0.15, 1.5),
        "Negative electrode upper excess capacity [A.h]": (0.5, 3.0),
        "Positive electrode lower excess capacity [A.h]": (1.5, 4.5),
        "Positive electrode upper excess capacity [A.h]": (0.5, 3.0),
    }
    free = {name: cw.Parameter(name, start, (0.0, most)) for name, (start, most) in names.items()}
    weights = {"Voltage [V]": 5e-3, "Differential voltage [V/Ah]": 0.1}
    given = {"Lower voltage cut-off [V]": 2.5, "Upper voltage cut-off [V]": 4.2, "Nominal cell capacity [A.h]": 5.0}
    said = "voltage limits: given; nominal capacity: the span of the data"
    full = cw.calculations.InitialSOCfromMaximumStoichiometry(options={"include concentration": "false"})
    by_hand = {
        "negative OCP": cw.calculations.OCPDataInterpolant("negative", GRAPHITE),
        "positive OCP": cw.calculations.OCPDataInterpolant("positive", NMC),
        "balance": cw.DataFit(
            {"cell": cw.objectives.ElectrodeBalancing(CELL, options={"direction": "discharge"})},
            parameters=free,
            cost=cw.costs.ChiSquare(variable_standard_deviations=weights),
        ),
        "capacities": cw.calculations.MSMRFullCellCapacities(CELL, method="upper excess capacity"),
        "windows": cw.calculations.StoichiometryLimitsFromCapacity(),
        "voltage limits": cw.direct_entries.DirectEntry({**given, "Initial SOC [%]": 100.0}, source=said),
        "full cell": full,
        "lithium": cw.calculations.CyclableLithium(),
        "windows between limits": cw.calculations.ElectrodeSOH(),
    }
    asked = {"options": {"direction": "discharge"}}
    found = full_cell.balancing(CELL, GRAPHITE, NMC, objective_kwargs=asked, voltage_limits=(2.5, 4.2))
    ours, theirs = written(found), written(by_hand)
    free, expected = (two["elements"]["balance"].pop("parameters") for two in (ours, theirs))
    assert list(free) == list(expected)
    for name, one in expected.items():
        # Products with the span of the data are known to rounding.
        assert free[name]["bounds"] == pytest.approx(one["bounds"], rel=1e-12)
        assert free[name]["initial_value"] == pytest.approx(one["initial_value"], rel=1e-12)
    cost, other = (two["elements"]["balance"].pop("cost") for two in (ours, theirs))
    assert cost.pop("variable_standard_deviations") == pytest.approx(other.pop("variable_standard_deviations"))
    assert cost == other
    assert ours == theirs


def test_potentials_may_be_elements_or_come_from_before():
    own = cw.calculations.MSMRFunction("negative")
    found = full_cell.balancing(CELL, own, prefix="slow ")
    assert found["negative OCP"] is own
    assert list(found) == ["negative OCP", "slow balance", "slow capacities", "slow windows"]


def test_rate_capability_is_the_long_form():
    data = rates()
    known = {"Nominal cell capacity [A.h]": 5.0}
    options = {"model": {"type": "SPMe", "options": {"contact resistance": "true"}}}
    objectives = {name: cw.objectives.CurrentDriven(one, options=options) for name, one in data.items()}
    diffusivities = [f"{electrode} particle diffusivity [m2.s-1]" for electrode in ("Negative", "Positive")]
    contact = "Contact resistance [Ohm]"
    # At 2C the voltage spans 1.3 V, at 10 A.
    free = {name: cw.transforms.Log10(cw.Parameter(name, bounds=(1e-16, 1e-12))) for name in diffusivities}
    free[contact] = cw.Parameter(contact, (4.1 - 2.8) / 10 / 50, (0.0, (4.1 - 2.8) / 10))
    by_hand = {
        "known": cw.direct_entries.DirectEntry(known),
        "rates": cw.DataFit({name: objectives[name] for name in ("C/2", "2C")}, parameters=free),
        "held out": cw.Validation({"1C": objectives["1C"]}),
    }
    assert written(full_cell.rate_capability(data, "1C", known)) == written(by_hand)


def test_a_model_keeps_its_options_and_one_without_contact_resistance_is_left_alone():
    given = cw.models.PyBaMMModel("DFN", {"thermal": "lumped"})
    own = full_cell.rate_capability(rates(), model=given)
    assert own["rates"].objectives["1C"].to_config()["options"]["model"]["options"] == {"thermal": "lumped"}
    bare = full_cell.rate_capability(rates(), model="SPM", params_to_fit={"Contact resistance [Ohm]": None})
    assert bare["rates"].objectives["1C"].to_config()["options"]["model"] == "SPM"
    assert "held out" not in bare


def test_elements_of_several_merge_into_one_pipeline():
    balanced = full_cell.balancing(CELL, GRAPHITE, NMC)
    both = full_cell.rate_capability(rates(), "1C", balanced, prefix="fast ")
    assert list(both) == [*balanced, "fast rates", "fast held out"]
    pair = {
        **half_cell.ocp_msmr("negative", SLOW, material=TWO_SITES),
        **half_cell.ocp_msmr("positive", SLOW, material="NMC - Verbrugge 2017"),
    }
    assert len(pair) == 4


WRONG = {
    "electrode": (
        lambda: half_cell.ocp_msmr("negativ", SLOW, material=TWO_SITES),
        ConfigurationError,
        "no electrode 'negativ' .*'negative'",
    ),
    "material": (
        lambda: half_cell.ocp_msmr("negative", SLOW, material="Graphite - Verbruge 2017"),
        NotFoundError,
        "'Graphite - Verbrugge 2017'",
    ),
    "no material": (
        lambda: half_cell.ocp_msmr("negative", SLOW),
        ConfigurationError,
        "with which sites .*'Graphite - Verbrugge 2017'",
    ),
    "material without sites": (
        lambda: half_cell.ocp_msmr("negative", SLOW, material={"Positive electrode thickness [m]": 1e-4}),
        ConfigurationError,
        "no MSMR set: 0 of standard potential",
    ),
    "fractions of nothing": (
        lambda: half_cell.ocp_msmr("negative", SLOW, material={**TWO_SITES, f"{SITES} occupancy fraction": [0.0, 0.0]}),
        ConfigurationError,
        "add up to 0",
    ),
    "lists of different lengths": (
        lambda: half_cell.ocp_msmr("negative", SLOW, material={**TWO_SITES, f"{SITES} ideality factor": [1.0]}),
        ConfigurationError,
        "2 of standard potential, 2 of occupancy fraction, 1 of ideality factor",
    ),
    "directions that do not match": (
        lambda: half_cell.ocp_msmr("negative", SLOW, material={"lithiation": TWO_SITES}),
        ConfigurationError,
        "the data have no direction",
    ),
    "slow curve without a capacity": (
        lambda: half_cell.ocp_msmr("negative", {"Voltage [V]": [1.0, 0.5]}, material=TWO_SITES),
        DataError,
        r"negative MSMR: the data have no column 'Capacity \[A.h\]'",
    ),
    "capacity that counts what leaves": (
        lambda: half_cell.ocp_msmr("negative", LEAVING, material=TWO_SITES),
        DataError,
        "negative MSMR: the potential rises",
    ),
    "misspelt column": (
        lambda: full_cell.balancing({"Capacity [A.h]": [0.0, 1.0, 2.0], "Voltge [V]": [4.0, 3.0, 2.0]}),
        DataError,
        r"balance: the data have no column 'Voltage \[V\]' .*'Voltge \[V\]'",
    ),
    "potential in another column": (
        lambda: full_cell.balancing(CELL, {"SOC": [0.0, 1.0], "Voltage [V]": [1.0, 0.0]}),
        DataError,
        "negative OCP: the data have no column 'Stoichiometry'",
    ),
    "one direction of two": (
        lambda: full_cell.balancing(CELL, {"lithiation": GRAPHITE}),
        ConfigurationError,
        "lacks the direction 'delithiation'",
    ),
    "charge for discharge": (
        lambda: full_cell.balancing(CELL, objective_kwargs={"options": {"direction": "charge"}}),
        DataError,
        "balance: the voltage falls",
    ),
    "limits upside down": (
        lambda: full_cell.balancing(CELL, voltage_limits=(4.2, 2.5)),
        ConfigurationError,
        "upside down: 4.2 V is not below 2.5 V",
    ),
    "no place": (
        lambda: half_cell.diffusivity_gitt("positive", pulses(), start=0.3),
        ConfigurationError,
        "nothing says where the electrode works",
    ),
    "no pulses": (
        lambda: half_cell.diffusivity_gitt("positive", {"Time [s]": [0.0, 1.0], "Current [A]": [0.0, 0.0],
                                                        "Voltage [V]": [4.0, 4.0]}, start=0.3, capacity=1e-3),
        DataError,
        "positive pulses",
    ),
    "no rests before pulses": (
        lambda: half_cell.diffusivity_gitt("positive", cut_off(), start=0.3, capacity=1e-3),
        DataError,
        "no pulse has a rest before it",
    ),
    "misspelt knowledge": (
        lambda: half_cell.diffusivity_gitt(
            "positive", pulses(), {"Positive particle radious [m]": 5e-6}, start=0.3, capacity=1e-3
        ),
        ConfigurationError,
        r"no 'Positive particle radius \[m\]' .*'Positive particle radious \[m\]'",
    ),
    "unknown rate": (
        lambda: full_cell.rate_capability(rates(), held_out="1 C"),
        ConfigurationError,
        "no measurement '1 C' .*'1C'",
    ),
    "all held out": (
        lambda: full_cell.rate_capability(rates(), held_out=["C/2", "1C", "2C"]),
        ConfigurationError,
        "none is left to fit",
    ),
    "no current": (
        lambda: full_cell.rate_capability({"rest": {"Time [s]": [0.0], "Voltage [V]": [4.0]}}),
        DataError,
        r"rest: the data have no column 'Current \[A\]'",
    ),
    "file that is not there": (
        lambda: full_cell.rate_capability({"1C": "file:nowhere/1C.csv"}),
        DataError,
        "1C: the file '1C.csv' is not there",
    ),
    "known as text": (
        lambda: full_cell.rate_capability(rates(), known="Chen2020"),
        ConfigurationError,
        "known values cannot be of type str",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("ready", "kind", "said"), WRONG.values(), ids=WRONG)
def test_mistakes_are_told_when_the_elements_are_made(ready, kind, said):
    with pytest.raises(kind, match=f"(?s){said}"):
        ready()


def test_a_frame_of_a_measurement_will_do():
    found = full_cell.rate_capability({name: pl.DataFrame(one) for name, one in rates().items()})
    assert list(found) == ["rates"]
