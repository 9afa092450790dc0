"""Figures and HTML from result documents alone."""
