# Every target works alone on a machine with python3 (3.11 or newer, with venv) and nothing else:
# it makes its own virtual environment in .venv. PYTHON=python3.12 picks another interpreter.
PYTHON ?= python3
BIN := .venv/bin
# What pytest gets besides; e.g. make test ARGS="-k rtp -x"
ARGS ?=

.PHONY: interop-jtapi test check lint typecheck arrows clean help

help:
	@echo "make test    all tests"
	@echo "make check   what a change must pass: lint, types, import arrows, tests"

test: .venv/.test
	$(BIN)/python -m pytest $(ARGS)

# Cisco's own client against our CTI Manager; PA_TELEPHONY_JTAPI_JAR names its jar.
interop-jtapi: .venv/.test
	$(BIN)/python -m pytest tests/interop/jtapi $(ARGS)

check: lint typecheck arrows test

lint: .venv/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: .venv/.lint
	$(BIN)/mypy
	$(BIN)/pyright

arrows: .venv/.lint
	$(BIN)/lint-imports

clean:
	rm -rf .venv .fuzz demo-out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The stamps say what has been installed; pyproject.toml is where it is written down.
.venv/.made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	touch $@

.venv/.run: .venv/.made pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[all]'
	touch $@

.venv/.test: .venv/.run
	$(BIN)/python -m pip install --quiet --editable '.[all]' --group test
	touch $@

.venv/.lint: .venv/.test
	$(BIN)/python -m pip install --quiet --editable '.[all]' --group test --group lint
	touch $@

