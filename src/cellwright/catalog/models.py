"""Models: PyBaMM's by name, and those of the contract (`cw.models`)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from cellwright.errors import ConfigurationError, NotImplementedYetError, Problem
from cellwright.schema.families import Model, SimulationSettings
from cellwright.schema.live_model import LiveModel
from cellwright.schema.simulation import OWN, ModelSpec
from cellwright.schema.values import settled, to_wire
from cellwright.schema.variant import Example, Leaf, Schema

__all__ = [
    "ECM",
    "CustomModel",
    "ECMOptions",
    "GITTModel",
    "GITTModelOptions",
    "LumpedSPMR",
    "LumpedSPMROptions",
    "LumpedSPMeR",
    "MSMRFullCellModel",
    "MSMRHalfCellModel",
    "MSMRHalfCellModelOptions",
    "PyBaMMModel",
    "SimulationSettings",
    "SingleElectrodeLumpedSPMR",
    "SingleElectrodeLumpedSPMROptions",
]

MODULES = ("lithium_ion", "lead_acid", "equivalent_circuit", "sodium_ion")
"""The modules of PyBaMM whose models can be named."""
Thermal = Literal["isothermal", "lumped"]
SurfaceTemperature = Literal["ambient", "lumped"]
LiveFunction = Annotated[Callable[..., Any], WithJsonSchema({"description": "a function; it has no JSON form"})]


def _as_text(given: Any) -> Any:
    """Return an option that is text, as PyBaMM has it; a file reads 2 and true without quotation marks otherwise."""
    if isinstance(given, int):
        raise ConfigurationError(
            f"it is a string, not {given!r}", hint=f"write it in quotation marks: '{str(given).lower()}'"
        )
    return given


RCPairs = Annotated[str, Field(pattern=r"^\d+$"), BeforeValidator(_as_text)]
Switch = Annotated[Literal["false", "true"], BeforeValidator(_as_text)]


class PyBaMMModel(Model):
    """A model of PyBaMM by the name of its class, with its options: SPM, SPMe, DFN and whatever else is there.

    Source: Sulzer, Marquis, Timms, Robinson & Chapman, J. Open Res. Softw. 9 (2021) 14, doi:10.5334/jors.309.
    """

    positional = ("type", "options", "simulation_settings", "module")

    type: str
    options: dict[str, Any] | None = None
    module: str | None = None

    def spec(self) -> ModelSpec:
        """Return the model as simulations take it."""
        options = {name: _tuples(value) for name, value in (self.options or {}).items()}
        return ModelSpec(self.type, options, self.module or MODULES[0], _settings(self))


class ModelObject(Model):
    """A PyBaMM model that was changed, or whose class is not PyBaMM's own: it runs in the process that made it.

    A document tells which one it was by the digest of its content, and cannot hold the model. Equations that belong to
    no battery model, without options, are written out as PyBaMM writes them; those of a battery model would fill tens
    of megabytes.
    """

    positional = ("type", "options", "simulation_settings", "module")
    unwritten = frozenset({"content"})
    live = frozenset({"content"})

    type: str
    options: dict[str, Any] | None = None
    module: str | None = None
    digest_: str = Field(alias="live")
    content: Annotated[LiveModel | None, WithJsonSchema({"description": "the model; it has no JSON form"})] = None

    def unimplemented(self) -> Iterator[Problem]:
        """Yield the problem of a model that did not come with its description."""
        if self.content is None:
            yield Problem(
                "error",
                f"the model {self.type} of {self.module} is an object in Python, which no document holds",
                hint="run it by cellwright.run in the process that makes it, or name one of PyBaMM's own models",
            )

    def _dump(self, leaf: Leaf) -> dict[str, Any]:
        if leaf is to_wire and self.content is not None and not self.options:
            config: dict[str, Any] = dict(settled(self.content.fresh()))
            return config
        return super()._dump(leaf)

    def spec(self) -> ModelSpec:
        """Return the model as simulations take it."""
        module = self.module or MODULES[0]
        return ModelSpec(self.type, self.options or {}, module, _settings(self), self.content)


class CustomModel(Model):
    """A model written out as equations, in the form that PyBaMM gives it.

    Source: Sulzer, Marquis, Timms, Robinson & Chapman, J. Open Res. Softw. 9 (2021) 14, doi:10.5334/jors.309.
    """

    positional = ("model",)
    example: ClassVar = Example(fields={"model": {"model": {"name": "Unnamed model"}}})

    type: Literal["custom"] = "custom"
    model: dict[str, Any]
    geometry: dict[str, Any] | None = None
    var_pts: dict[str, Any] | None = None
    spatial_methods: dict[str, Any] | None = None
    submesh_types: dict[str, Any] | None = None

    def not_yet(self) -> NotImplementedYetError:
        """Return the error that tells how equations of one's own run."""
        return NotImplementedYetError(
            "the model 'CustomModel' is not implemented yet: its equations stand in the document",
            hint="give the PyBaMM model itself, and run it by cellwright.run in the process that makes it",
        )


class ModelOptions(Schema):
    """Options of a model; what is not set is the model's own."""

    only_set = True


class ECMOptions(ModelOptions):
    """What an equivalent circuit has beside its voltage source and its series resistance."""

    thermal: Literal["isothermal", "lumped", "two-state"] = "isothermal"
    rc_pairs: RCPairs = Field(default="0", alias="rc pairs")
    capacity: Literal["constant", "function"] = "constant"
    resistance_scale: Literal["constant", "function"] = Field(default="constant", alias="resistance scale")
    butler_volmer: Switch = Field(default="false", alias="butler-volmer")
    parameter_dependencies: dict[str, Any] | None = None


class ECM(Model):
    """Equivalent circuit: a voltage source, a series resistance and pairs of resistor and capacitor.

    V = OCV(z) - I R₀ - Σ V_k - η, dV_k/dt = (I - V_k / R_k) / C_k, dz/dt = -I / (3600 Q), with I the current [A],
    positive in discharge, z the state of charge, Q `Nominal cell capacity [A.h]` and as many pairs as `rc pairs` says,
    which are at rest in the beginning. `Open-circuit voltage [V]`, `R0 [Ohm]`, `R1 [Ohm]`, `C1 [F]` and so on are
    functions of z, or of what `parameter_dependencies` says for "OCV", "R0", "R_rc", "C_rc" and "i0": of some of "soc",
    "temperature" [K] and "current" [A], as arguments in the order in which it names them, or of nothing; a number may
    always be given.
    With `butler-volmer` "true" there is η = (2 R T / F) arsinh(I / (2 i₀)), `Charge-transfer overpotential [V]`, with
    the gas constant R and i₀ `Exchange current [A]`, both directions alike.

    `capacity` "function" takes Q from `Capacity [A.h]`, `resistance scale` "function" multiplies R₀ and the R_k, and
    with them their time constants, by `Resistance scale`: functions of `Capacity throughput [A.h]`, which is
    ∫ |I| dt / 3600, and `Time [s]`. η is not scaled.

    `thermal` "two-state" has the temperatures of the cell and of a jig,
    C_cell dT/dt = I (OCV - V) - I T dU/dT - k (T - T_jig) and C_jig dT_jig/dt = k (T - T_jig) - k_air (T_jig - T_amb),
    "lumped" the cell alone, its jig at the ambient temperature; dU/dT is `Entropic change [V/K]` over the open-circuit
    voltage and the temperature in degC. What is stored in the capacitors counts as heat when it goes in.

    A simulation begins at `Initial SoC`, else at `Initial SOC [%]`, else where the open-circuit voltage is
    `Initial voltage [V]` or the one that was measured first. A state of charge beyond 0 or 1 does not end it.

    Source: Plett, Battery Management Systems, vol. 1 (2015), ch. 2; Bernardi, Pawlikowski & Newman, J. Electrochem.
    Soc. 132 (1985) 5, doi:10.1149/1.2113792 (heat).
    """

    positional = ("options", "simulation_settings")
    example: ClassVar = Example(fields={"options": {"rc pairs": "2"}})

    type: Literal["ECM"] = "ECM"
    options: ECMOptions | None = None

    def spec(self) -> ModelSpec:
        """Return the model as simulations take it."""
        return _own(self.type, self.options, self)


class GITTModelOptions(ModelOptions):
    """Which electrodes there are; further options are those of PyBaMM's models."""

    model_config = ConfigDict(extra="allow")

    working_electrode: Literal["both", "positive"] = Field(default="both", alias="working electrode")


class GITTModel(Model):
    """Diffusion in the particles and a series resistance, nothing else.

    ∂c/∂t = (1/r²) ∂/∂r (D r² ∂c/∂r) in the mean particle of each electrode, D ∂c/∂r = ∓ I r_s / (3 F ε L A) at its
    surface r = r_s (minus in the negative electrode, which gives lithium on discharge), and V = U_p(θ_p) - U_n(θ_n) - I
    R at the stoichiometries θ = c / c_max of the surfaces, with I the current [A] (positive on discharge) and R `Ohmic
    resistance [Ohm]`. Of each electrode there are the potential U [V], D [m2.s-1], r_s [m], the active volume fraction
    ε [-], the thickness L [m], c_max and the initial c [mol.m-3] under PyBaMM's names. D may depend on θ and the
    temperature, `Initial temperature [K]`, which else is not needed. A is `Electrode cross-sectional area [m2]`, that
    of all electrodes together; where it is not given it is height × width × the number of electrodes in parallel. The
    shells of the particles thin out towards the surface, where a pulse is felt first; `simulation_settings` may change
    that.

    With `working electrode` "positive" it is a half cell: the negative electrode is lithium, U_n = 0, and what is
    tested is called positive, also graphite. `open-circuit potential` and `diffusivity` may be "current sigmoid", one
    function for each direction; other options of PyBaMM's models are refused.

    Source: Weppner & Huggins, J. Electrochem. Soc. 124 (1977) 1569, doi:10.1149/1.2133112.
    """

    positional = ("options", "simulation_settings")
    example: ClassVar = Example(fields={"options": {"working electrode": "positive"}})

    type: Literal["GITTModel"] = "GITTModel"
    options: GITTModelOptions | None = None

    def spec(self) -> ModelSpec:
        """Return the model as simulations take it."""
        return _own(self.type, self.options, self)


class LumpedSPMROptions(ModelOptions):
    """Heat in a lumped single particle model."""

    thermal: Thermal = "isothermal"
    surface_temperature: SurfaceTemperature = Field(default="ambient", alias="surface temperature")
    working_electrode: Literal["both"] = Field(default="both", alias="working electrode")


class LumpedSPMR(Model):
    """Single particle model of few parameters: capacities, windows, diffusion times and one series resistance.

    In the mean particle of each electrode ∂θ/∂t = (1/x²) ∂/∂x (x² (1/τ) ∂θ/∂x) for 0 < x < 1, and at its surface
    (1/τ) ∂θ/∂x = ∓ I / (3 · 3600 Q) (minus in the negative electrode); V = U_p(θ_p) - U_n(θ_n) - I R at the
    stoichiometries θ [-] of the surfaces, with I the current [A], positive on discharge. It is the single particle
    model with τ = r_s² / D, Q = F ε L A c_max / 3600, and all that is ohmic, kinetics included, in R.

    Its parameters: the capacities Q of whole electrodes, θ from 0 to 1 (`Negative electrode capacity [A.h]`, `Positive
    …`); the times τ, numbers or functions of θ and the temperature [K] (`Negative particle diffusion time [s]`,
    `Positive …`); the potentials U, functions of θ (`Negative electrode OCP [V]`, `Positive …`); R, a number or a
    function of the temperature (`Series resistance [Ohm]`); θ at the start (`Initial stoichiometry in negative
    electrode`, `… positive …`); for the variable `SoC` and starts by it the windows (`Negative electrode stoichiometry
    at 0% SOC`, `… 100% SOC`, `Positive …`); and with `thermal` "isothermal" the temperature (`Ambient temperature
    [K]`) where anything depends on it.

    It starts from the stoichiometries; from a state of charge or a voltage by the windows, or by `Cyclable lithium
    capacity [A.h]`; or from initial and maximum concentrations.

    With `thermal` "lumped" the temperature T [K] follows C dT/dt = I (U - V) - I T dU/dT - h A_c (T - T_s), U the
    difference of the potentials of the surfaces, each U_k + (T - T_ref) dU_k/dT, with `Cell heat capacity [J.K-1]` C,
    `Total heat transfer coefficient [W.m-2.K-1]` h, `Cell cooling surface area [m2]` A_c, `Negative electrode OCP
    entropic change [V.K-1]` and `Positive …`, `Reference temperature [K]`, `Initial temperature [K]`. T_s is the
    ambient temperature or, with `surface temperature` "lumped", that of a casing: C_c dT_s/dt = h A_c (T - T_s) -
    (T_s - T_amb) / R_env, with `Casing heat capacity [J.K-1]` C_c and `Environment thermal resistance [K.W-1]` R_env.

    Source: Bizeray, Kim, Duncan & Howey, IEEE Trans. Control Syst. Technol. 27 (2019) 1862,
    doi:10.1109/TCST.2018.2838097; Bernardi, Pawlikowski & Newman, J. Electrochem. Soc. 132 (1985) 5,
    doi:10.1149/1.2113792 (heat).
    """

    positional = ("options", "simulation_settings")
    example: ClassVar = Example(fields={"options": {"thermal": "lumped"}})

    type: Literal["LumpedSPMR"] = "LumpedSPMR"
    options: LumpedSPMROptions | None = None

    def spec(self) -> ModelSpec:
        """Return the model as simulations take it."""
        return _own(self.type, self.options, self)


class LumpedSPMeR(Model):
    """Single particle model of few parameters with an electrolyte, and one series resistance.

    `LumpedSPMR` with the overpotential of the electrolyte's concentration,
    V = U_p(θ_p) - U_n(θ_n) - I R + ν (R_g T / F) (⟨ln c⟩_p - ⟨ln c⟩_n), the means over the electrodes of the logarithm
    of the concentration c relative to that at rest. In each region k (negative electrode, separator, positive
    electrode), over its thickness 0 < y < 1, Q_k ∂c/∂t = ∂/∂y ((Q_k / τ_k) ∂c/∂y) + s I / 3600 with s = 1, 0, -1, and
    c and (Q_k / τ_k) ∂c/∂y pass on from region to region. Q_k is the charge that would use up a region's salt.

    It is PyBaMM's SPMe where its diffusivity, transference number and thermodynamic factor are constant:
    τ_k = ε L² / (B D_e), Q_k = F ε L A c_0 / (3600 (1 - t₊)), ν = 2 (1 - t₊) χ, and the ohmic losses of electrolyte and
    solid in R.

    Its parameters, beside those of `LumpedSPMR`: τ_k (`Negative electrode electrolyte diffusion time [s]`, `Separator
    …`, `Positive electrode …`), Q_k (`Negative electrode electrolyte capacity [A.h]` and so on) and ν (`Electrolyte
    overpotential factor`). τ_k and ν may be functions of the temperature [K].

    Source: Marquis, Sulzer, Timms, Please & Chapman, J. Electrochem. Soc. 166 (2019) A3693, doi:10.1149/2.0341915jes.
    """

    positional = ("options", "simulation_settings")
    example: ClassVar = Example(fields={"options": {"surface temperature": "lumped"}})

    type: Literal["LumpedSPMeR"] = "LumpedSPMeR"
    options: LumpedSPMROptions | None = None

    def spec(self) -> ModelSpec:
        """Return the model as simulations take it."""
        return _own(self.type, self.options, self)


class SingleElectrodeLumpedSPMROptions(ModelOptions):
    """Heat and pairs of resistor and capacitor of a cell that is lumped into one electrode."""

    thermal: Thermal = "isothermal"
    surface_temperature: SurfaceTemperature = Field(default="ambient", alias="surface temperature")
    rc_pairs: RCPairs = Field(default="0", alias="rc pairs")
    parameter_dependencies: dict[str, Any] | None = None


class SingleElectrodeLumpedSPMR(Model):
    """The whole cell as one particle, with a series resistance and pairs of resistor and capacitor.

    V = U(θ) - I R - Σ V_k, dV_k/dt = (I - V_k / R_k) / C_k, with I the current [A], positive on discharge, and θ the
    stoichiometry at the surface of a particle: ∂θ/∂t = (1/x²) ∂/∂x (x² (1/τ) ∂θ/∂x) for 0 < x < 1 and
    (1/τ) ∂θ/∂x = I / (3 · 3600 Q) at x = 1. The mean of θ is the share of the capacity that is discharged,
    SOC = 1 - θ. The temperature is that of `LumpedSPMR`.

    Its parameters: U, a function of θ (`Lumped electrode OCP [V]`, as `OCPDataInterpolant` with `electrode` "lumped"
    gives it); Q (`Lumped electrode capacity [A.h]`); τ = r_s² / D (`Particle diffusion time [s]`); R, a number or a
    function of the temperature [K] (`Series resistance [Ohm]`); for each of `rc pairs` R_k and C_k (`R1 [Ohm]`, `C1
    [F]`, …); and the start, by θ (`Initial stoichiometry in lumped electrode`), by `Initial SOC [%]` or by a voltage.

    `parameter_dependencies` names the states that "tau", "R_rc" and "C_rc" are functions of, in the order of their
    arguments: "soc" [-], "temperature" [K], "current" [A]; without it they may be functions of the state of charge.
    Within the particle the state of charge of τ is that of the place.

    Source: Bizeray, Kim, Duncan & Howey, IEEE Trans. Control Syst. Technol. 27 (2019) 1862,
    doi:10.1109/TCST.2018.2838097; Plett, Battery Management Systems, vol. 1 (2015), ch. 2 (pairs).
    """

    positional = ("options", "simulation_settings")
    example: ClassVar = Example(fields={"options": {"rc pairs": "1"}})

    type: Literal["SingleElectrodeLumpedSPMR"] = "SingleElectrodeLumpedSPMR"
    options: SingleElectrodeLumpedSPMROptions | None = None

    def spec(self) -> ModelSpec:
        """Return the model as simulations take it."""
        return _own(self.type, self.options, self)


class MSMRHalfCellModelOptions(ModelOptions):
    """How the species of an electrode are given; functions of one's own stay in the process that made them.

    A `capacity function` is called with the potentials U [V] (an array) and the parameters (a dict of numbers by name),
    and returns the lithium that the electrode holds [A.h], which falls with U; the `differential capacity function`
    returns its slope dq/dU [A.h.V-1] likewise. The sites are looked up all the same.
    """

    unwritten = frozenset({"capacity_function", "differential_capacity_function"})

    capacity_function: LiveFunction | None = Field(default=None, alias="capacity function")
    differential_capacity_function: LiveFunction | None = Field(default=None, alias="differential capacity function")
    species_format: Literal["Qj", "Xj"] = Field(default="Qj", alias="species format")
    direction: Literal["delithiation", "lithiation"] | None = None
    particle_phases: Literal["1", "2"] = Field(default="1", alias="particle phases")

    def _dump(self, leaf: Leaf) -> dict[str, Any]:
        config = super()._dump(leaf)
        if leaf is not to_wire:
            functions = (self.capacity_function, self.differential_capacity_function)
            config |= {f"function {place}": _said(one) for place, one in enumerate(functions) if one is not None}
        return config


def _said(function: Callable[..., Any]) -> str:
    """Return what tells a function of Python from others: its name, its code and what it has from around it."""
    code = getattr(function, "__code__", None)
    around = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    known = (code.co_code.hex(), code.co_consts, code.co_names) if code is not None else ()
    return repr((getattr(function, "__qualname__", ""), known, getattr(function, "__defaults__", None), around))


class MSMRHalfCellModel(Model):
    """Capacity of an electrode over its potential, as a sum of reactions of several species.

    q(U) = Σ_j Q_j / (1 + exp(f (U - U_j) / ω_j)) - Q_0, with f = F / (R T), Q_j the capacity of a species [A.h] (or its
    fraction X_j of the whole), U_j its standard potential [V], ω_j its width [-] and Q_0 the lower excess capacity
    [A.h]. In a document the type may be left out.

    Source: Verbrugge, Baker, Koch, Xiao & Gu, J. Electrochem. Soc. 164 (2017) E3243, doi:10.1149/2.0341708jes.
    """

    positional = ("electrode", "options", "simulation_settings")
    example: ClassVar = Example(fields={"electrode": "positive", "options": {"species format": "Xj"}})

    type: Literal["MSMRHalfCellModel"] | None = "MSMRHalfCellModel"
    electrode: Literal["negative", "positive"]
    options: MSMRHalfCellModelOptions | None = None

    def spec(self) -> ModelSpec:
        """Raise a `ConfigurationError`: nothing is integrated of this model."""
        raise _at_open_circuit(self, "MSMRHalfCell")


def _half_cell(given: Any) -> Any:
    """Return an electrode's model, which in a document may stand without its type."""
    return {"type": None, **given} if isinstance(given, Mapping) else given


HalfCellModel = Annotated[MSMRHalfCellModel, BeforeValidator(_half_cell)]


class MSMRFullCellModel(Model):
    """Open-circuit voltage of a cell over its capacity, from the MSMR models of its electrodes.

    V(q) = U_p(q_p) - U_n(q_n), with q_p and q_n the capacities of the electrodes [A.h] where the cell has been
    discharged by q.

    Source: Hu & Schwartz, J. Electrochem. Soc. 169 (2022) 030539.
    """

    positional = ("negative_electrode_model", "positive_electrode_model", "options", "simulation_settings")
    example: ClassVar = Example(
        fields={
            "negative_electrode_model": {"electrode": "negative"},
            "positive_electrode_model": {"type": "MSMRHalfCellModel", "electrode": "positive"},
        }
    )

    type: Literal["MSMRFullCellModel"] = "MSMRFullCellModel"
    negative_electrode_model: HalfCellModel
    positive_electrode_model: HalfCellModel
    options: dict[str, Any] | None = None

    def spec(self) -> ModelSpec:
        """Raise a `ConfigurationError`: nothing is integrated of this model."""
        raise _at_open_circuit(self, "MSMRFullCell")


def _at_open_circuit(model: Model, objective: str) -> ConfigurationError:
    return ConfigurationError(
        f"{type(model).__name__} is a model at open circuit, and is not driven by a current",
        hint=f"compare it by the objective {objective}",
    )


def _own(name: str, options: Schema | None, model: Model) -> ModelSpec:
    """Return one of our own models as simulations take it."""
    given = {} if options is None else options.to_config()
    return ModelSpec(name, {key: _tuples(value) for key, value in given.items()}, OWN, _settings(model))


def _settings(model: Model) -> dict[str, Any]:
    own = model.simulation_settings
    return own.to_config() if isinstance(own, SimulationSettings) else dict(own or {})


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
