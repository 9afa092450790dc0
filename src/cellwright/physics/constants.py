"""Constants of nature, CODATA 2018 (exact since the SI of 2019)."""

FARADAY = 96485.33212331001
"""Faraday constant [C.mol-1]."""
GAS = 8.31446261815324
"""Molar gas constant [J.K-1.mol-1]."""
SECONDS_PER_HOUR = 3600.0
