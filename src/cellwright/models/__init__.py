"""The only place that imports PyBaMM."""
