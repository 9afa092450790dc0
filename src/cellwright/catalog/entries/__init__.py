"""Entries: known values (`cw.direct_entries`)."""

from cellwright.catalog.entries.direct import DirectEntry

__all__ = ["DirectEntry"]
