"""Contract kits and example cells, for our tests and for packages that add members."""
