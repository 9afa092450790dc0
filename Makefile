# Everything runs in .venv, which `make install` makes and keeps up to date with pyproject.toml.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed

.PHONY: install demo test check format lint types layers docs bench browser

install: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Cellwright needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

demo: install
	@$(BIN)/cellwright demo

test: install browser
	$(BIN)/pytest --numprocesses 2 --dist loadfile

check: format lint types layers

format: install
	$(BIN)/ruff format --check

lint: install
	$(BIN)/ruff check

types: install
	$(BIN)/mypy

layers: install
	$(BIN)/lint-imports

docs: install
	$(BIN)/python tools/reference.py

# PyBOP asks for an older NumPy, so the benchmark has an environment of its own.
bench:
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-bench/bin/python -m pip install --quiet --editable . --group bench
	.venv-bench/bin/python benchmarks/kernel.py
	.venv-bench/bin/python benchmarks/peer.py
	.venv-bench/bin/python benchmarks/parallel.py
	.venv-bench/bin/python benchmarks/shell.py

# The tests in tests/web open pages in headless Chromium.
browser:
	@if type -P chromium chromium-browser google-chrome > /dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && type -P apt-get > /dev/null; then \
		echo "installing chromium for the tests in tests/web"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends chromium > /dev/null; \
	else echo "tests/web needs chromium on the PATH: install it with the system's package manager"; fi
