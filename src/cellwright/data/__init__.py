"""Measurements: tables, steps, files."""
