"""Writers of parameters for other programs: JSON, a Python module, BPX. What needs PyBaMM is in `models.exchange`."""

from cellwright.exchange.written import Written

__all__ = ["Written"]
