"""What happens: check, run, fit, validate."""
