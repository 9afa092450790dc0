"""Submit, get, list, cancel, delete; the worker."""
