"""Pools that evaluate batches."""
