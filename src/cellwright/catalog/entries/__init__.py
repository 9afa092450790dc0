"""Entries: known values (`cw.direct_entries`)."""

from cellwright.catalog.entries.direct import DirectEntry, ProvenanceRecord

__all__ = ["DirectEntry", "ProvenanceRecord"]
