# Assent sets itself up in .venv from the hashed lock files. Needs Python 3.11 to 3.13 and pip.
#
#   make demo    the whole story with computer-generated performers (about two minutes)
#   make test    every test
#   make check   types, style, import contracts
#   make bench   the figures that the README claims
#   make docs    the documentation site, into site/
#   make lock    the lock files anew (needs uv)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The tests alone need torch, for the second engine. Its build depends on the accelerator; without one
# the CPU build is a tenth the size:
#   make test TORCH_OPTIONS="--index-url https://download.pytorch.org/whl/cpu"
TORCH := torch==2.13.0
TORCH_OPTIONS ?=
DEMO ?= demo-studio
MINUTES ?= 3
JOBS ?= auto

export PIP_NO_INPUT := 1

.PHONY: demo test programs check bench docs lock clean help

help:
	@sed -n '3,9s/^# *//p' Makefile

demo: $(VENV)/run.done
	$(BIN)/assent demo $(DEMO) --minutes $(MINUTES)

# Some tests drive programs from outside: Chromium, SoftHSM, eSpeak. Where one is missing and can't be installed, its
# tests are skipped, and say so.
PROGRAMS := chromium softhsm2 espeak-ng

programs:
	@command -v softhsm2-util >/dev/null && command -v espeak-ng >/dev/null \
	  && { command -v chromium || command -v chromium-browser; } >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
	       && apt-get install -qq -y --no-install-recommends $(PROGRAMS) >/dev/null; } \
	  || echo "Without these some tests are skipped: apt-get install $(PROGRAMS)"

test: $(VENV)/dev.done $(VENV)/vyper.done web/node_modules/.done programs
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --cov --cov-report=term-missing:skip-covered

check: $(VENV)/dev.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev.done programs
	$(BIN)/python benchmarks/swap_truth.py
	$(BIN)/python benchmarks/layers.py
	$(BIN)/python benchmarks/ingest.py
	$(BIN)/python benchmarks/render.py
	$(BIN)/python benchmarks/swap_scenes.py
	$(BIN)/python benchmarks/consent_load.py
	$(BIN)/python benchmarks/verify.py
	$(BIN)/python benchmarks/log.py
	$(BIN)/python benchmarks/log_kills.py
	$(BIN)/python benchmarks/studio_load.py
	$(BIN)/python benchmarks/scrub.py
	$(BIN)/python benchmarks/first_paint.py
	$(BIN)/python benchmarks/repair.py
	$(BIN)/python benchmarks/monitor.py
	$(BIN)/python benchmarks/reports_load.py

docs: $(VENV)/docs.done
	$(BIN)/mkdocs build --strict --quiet --site-dir site

lock:
	sh requirements/lock.sh

clean:
	rm -rf $(VENV) site web/node_modules

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Assent needs Python 3.11 to 3.13: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.done: requirements/run.txt pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.done: requirements/dev.txt $(VENV)/run.done
	$(PIP) --require-hashes -r requirements/dev.txt
	$(PIP) $(TORCH_OPTIONS) "$(TORCH)"
	@touch $@

# The compiler of the anchoring contract wants older libraries than Assent.
$(VENV)/vyper.done: requirements/vyper.txt | $(BIN)/python
	$(PYTHON) -m venv $(VENV)/vyper
	$(VENV)/vyper/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/vyper.txt
	@touch $@

# What the page that checks files in a browser takes from npm, and an EVM node for the tests.
web/node_modules/.done: web/package.json web/package-lock.json
	cd web && { npm ci --ignore-scripts --no-audit --no-fund --loglevel=error \
	  || { echo "npm could install nothing, so some tests are skipped: install Node.js 20 or newer"; mkdir -p node_modules; }; }
	@touch $@

$(VENV)/docs.done: requirements/docs.txt $(VENV)/run.done
	$(PIP) --require-hashes -r requirements/docs.txt
	@touch $@
