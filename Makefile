# Two commands on a fresh machine: `make demo` and `make test`. Only Python 3.11+ and make are needed.
# The system's Python, where it is new enough and can make environments, is built with optimizations. One that was
# built on the machine often is not, and takes a sixth more of the processor.
PYTHON ?= $(shell /usr/bin/python3 -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo /usr/bin/python3 || echo python3)
BIN := .venv/bin
WORKERS ?= 5

.DEFAULT_GOAL := help
.PHONY: help demo test tests lint types bench chaos soak lock images clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

demo: .venv/.runtime  ## start everything in embedded form and print the page to open
	@$(BIN)/equabot-bridge demo

test: .venv/.dev  ## the whole check: format, lint, types, import rules, every test
	@$(MAKE) --no-print-directory -j2 lint types .venv/.bytecode
	@$(MAKE) --no-print-directory tests

# Databases that live for seconds need no disk, where memory has room for them; some tests also run programs there.
SCRATCH = $(shell grep -qs ' /dev/shm [^ ]* [^ ]*noexec' /proc/mounts \
	|| df -k --output=avail,target /dev/shm 2>/dev/null | awk 'NR > 1 && $$1 > 4000000 { print "TMPDIR=" $$2 }')

# Tests wait more than they compute: five at a time keep two cores busy.
tests: .venv/.bytecode
	$(SCRATCH) PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n $(WORKERS) --dist worksteal

lint: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: .venv/.dev
	$(BIN)/mypy

bench: .venv/.dev  ## the figures, each beside its bare lower bound
	$(BIN)/python -m tests.bench

chaos: .venv/.dev  ## 1,000 mentions, 30 kills, failovers of the database: 0 lost, 0 double, 0 out of order
	$(BIN)/python -m tests.chaos

soak: .venv/.dev  ## an hour of mixed load with kills (SOAK_MINUTES=60): 0 lost, 0 double, memory flat
	$(BIN)/python -m tests.soak

COMPILE = $(BIN)/uv pip compile pyproject.toml --extra embedded --universal --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -q

lock: .venv/.dev  ## write the lock files anew from pyproject.toml
	$(COMPILE) --group build -o requirements.lock
	$(COMPILE) --group build --extra tracing -c requirements.lock -o requirements-tracing.lock
	$(COMPILE) --group dev --extra tracing -c requirements-tracing.lock -o requirements-dev.lock

images:  ## pin the base images in deploy/ by the digests that their tags have now; needs Docker
	deploy/pin-images.sh

clean:  ## remove what the targets above have made here
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist

.venv/bin/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "equabot-bridge needs Python 3.11 or newer; name one with make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

# A stamp is stale when its lock or pyproject.toml is newer: then the environment is brought up to date in place.
.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/pip
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

# Each of the processes imports every test module, which takes half the time where the bytecode is there already.
# What cannot be collected is told by the tests.
.venv/.bytecode: .venv/.dev
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --collect-only >/dev/null || true
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.runtime
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
