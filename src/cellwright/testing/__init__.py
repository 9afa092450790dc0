"""Contract kits, fakes and synthetic cells, shipped for authors of members."""
