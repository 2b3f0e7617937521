# Every target works alone on a machine with python3 (3.11 or newer, with venv) and nothing else:
# it makes its own virtual environment in .venv. PYTHON=python3.12 picks another interpreter.
PYTHON ?= python3
BIN := .venv/bin
# The versions that are known to work; `make lock` writes them anew.
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt --build-constraint constraints.txt
# Seconds that each fuzz target runs.
SECONDS ?= 60
# What pytest gets besides; e.g. make test ARGS="-k rtp -x"; ARGS="-n 0" runs one test after the other.
ARGS ?=
# A worker for each processor; the tests of a file share one, with what they have set up together.
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder

.PHONY: demo demo-machines admin test test-long check lint typecheck arrows bench docs faults hostile soak fuzz mutate-frames simulate machines machine-figures explore mutants lock clean help

help:
	@echo "make demo    PA1 dies and comes home, an operator restarts both, with real calls; writes demo-out/"
	@echo "make demo-machines   the same on two machines with etcd, one of which loses its power (namespaces; root)"
	@echo "make admin   the administration in a browser, with a cluster to try it with; prints address and password"
	@echo "make test    all tests but the long ones"
	@echo "make test-long   the long ones"
	@echo "make check   what a change must pass: lint, types, import arrows, tests"
	@echo "make bench   measurements: codec, registrar, media engine, takeover time"
	@echo "make faults   what can happen to a failover cluster, with real processes: docs/failover.md, row by row"
	@echo "make hostile   what a stranger can do, clause by clause, and what the others feel of it: docs/security.md"
	@echo "make soak    calls and everything hostile for MINUTES=$(MINUTES); is memory flat?"
	@echo "make docs    docs/reference from the declarations, and of all pages and docstrings docs/_build/html"
	@echo "make lock    the newest versions of what development needs, into constraints.txt"
	@echo "make fuzz    coverage-guided fuzzing of the parsers and of a call manager that is refused things, SECONDS=$(SECONDS) each"
	@echo "make simulate   20,000 schedules of bad luck for a failover cluster, 2,000 for whole servers"
	@echo "make explore   everything that two faults can do to a small cluster; FAULTS=3 takes long"
	@echo "make machines   200 faults of a cluster on several machines (namespaces; root): docs/failover-design.md"
	@echo "make machine-figures   how long such a cluster takes, beside a bare compare-and-swap in its store"
	@echo "make mutants   one rule of the failover manager broken at a time; a test must notice"
	@echo "make mutate-frames   a million mutated SCCP frames through both sides"

demo: .venv/.run
	$(BIN)/pa-telephony demo

# Needs root, etcd and curl.
demo-machines: .venv/.run
	$(BIN)/python tests/machines/story.py

admin: .venv/.run
	$(BIN)/pa-telephony admin --demo

test: .venv/.test
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

test-long: .venv/.test .venv/.docs
	$(BIN)/python -m pytest -m long $(PARALLEL) $(ARGS)

# Cisco's own client against our CTI Manager, and a Java application tested with the fixture;
# PA_TELEPHONY_JTAPI_JAR names its jar.
interop-jtapi: .venv/.test
	$(BIN)/python -m pytest tests/interop/jtapi examples/java_application $(ARGS)

check: lint typecheck arrows test

lint: .venv/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: .venv/.lint
	$(BIN)/mypy
	$(BIN)/pyright

arrows: .venv/.lint
	$(BIN)/lint-imports

bench: .venv/.bench
	for script in bench/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

fuzz: .venv/.fuzz
	$(BIN)/python fuzz/make_corpus.py .fuzz
	for target in fuzz/fuzz_*.py; do \
		name=$$(basename $$target .py); name=$${name#fuzz_}; \
		echo "== $$target for $(SECONDS) s"; \
		mkdir -p .fuzz/found/$$name; \
		$(BIN)/python $$target -max_total_time=$(SECONDS) -artifact_prefix=.fuzz/$$name- \
			-dict=.fuzz/$$name.dict -max_len=8192 -timeout=10 \
			.fuzz/found/$$name .fuzz/corpus/$$name || exit 1; \
	done

mutate-frames: .venv/.run
	$(BIN)/python fuzz/mutate_sccp.py

# Resumed where it was broken off; SCHEDULES="pure=100 whole=10" plays fewer.
SCHEDULES ?= pure=20000 whole=2000
simulate: .venv/.test
	$(BIN)/python tests/failover/simulate.py $(SCHEDULES)

# Need root, etcd and curl. Resumed where they were broken off; FAULTS=1000 plays more.
machines: FAULTS = 200
machines: .venv/.test
	$(BIN)/python -m pytest -m machines tests/machines
	$(BIN)/python tests/machines/play.py $(FAULTS) $(ARGS)

machine-figures: .venv/.test
	$(BIN)/python tests/machines/figures.py $(ARGS)

# ARGS="member:" runs those of one file, ARGS=--quick leaves out the dearest tests.
mutants: .venv/.test
	$(BIN)/python tests/failover/mutate.py $(ARGS)

# Every situation that so many faults can lead to: two take some 80 s, three take long.
FAULTS ?= 2
explore: .venv/.test
	$(BIN)/python tests/failover/explorer.py --faults $(FAULTS) $(ARGS)

# Some need root, for a mount or a time namespace, and say so when they are left out.
faults: .venv/.test
	$(BIN)/python -m pytest -m faults -s tests/faults $(ARGS)

# Every version that the newest of all groups need: look at what has changed, then `make check`.
EVERYTHING := --editable '.[all,softphone,scapy]' --group test --group lint --group bench --group fuzz --group docs pip hatchling
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --upgrade pip
	.venv-lock/bin/python -m pip install --quiet --dry-run --ignore-installed --report .venv-lock/report.json $(EVERYTHING)
	.venv-lock/bin/python .ci/lock.py .venv-lock/report.json > constraints.txt
	rm -rf .venv-lock

# POINTS="3 9" runs the clauses of these points. The scenarios are a part of test-long, too.
hostile: .venv/.test
	$(BIN)/python tests/hostile/report.py $(POINTS)

MINUTES ?= 20
soak: .venv/.test
	$(BIN)/python tests/hostile/soak.py --minutes $(MINUTES)

docs: .venv/.docs
	$(BIN)/python docs/generate.py
	$(BIN)/python -m sphinx --fresh-env --fail-on-warning --keep-going --quiet -d docs/_build/doctrees docs docs/_build/html

clean:
	rm -rf .venv .venv-lock docs/_build docs/api .fuzz .simulate .machines demo-out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The stamps say what has been installed; pyproject.toml is where it is written down.
.venv/.made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --upgrade pip
	touch $@

.venv/.run: .venv/.made pyproject.toml constraints.txt
	$(INSTALL) --editable '.[all]'
	touch $@

.venv/.test: .venv/.run
	$(INSTALL) --editable '.[all]' --group test
	touch $@

.venv/.lint: .venv/.test
	$(INSTALL) --editable '.[all]' --group test --group lint
	touch $@

.venv/.bench: .venv/.run
	$(INSTALL) --editable '.[all]' --group bench
	touch $@

.venv/.fuzz: .venv/.run
	$(INSTALL) --editable '.[all]' --group fuzz
	touch $@

.venv/.docs: .venv/.run
	$(INSTALL) --editable '.[all]' --group docs
	touch $@
