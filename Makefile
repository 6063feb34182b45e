# Every target makes the environment it needs, in .venv; nothing else is touched.
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.11 python3.12 python3; do command -v $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PIP_VERSION := 26.3
PROJECT := pyproject.toml gpu_job_image/pyproject.toml requirements.lock
SOURCES := assets bench demo gpu_job_image pipelines resources sensors tests

.PHONY: help setup demo test lint format types bench demo-models lock clean

help:  ## Say what there is
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 14

setup: .venv/.ready  ## Make .venv with everything that Escriba needs to run

demo: setup  ## See it all work on three short recordings
	@$(BIN)/escriba demo

test: .venv/.ready-dev  ## Run all tests; the skipped ones are listed at the end
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST_ARGS)  # tests/ui share one `escriba up`

lint: .venv/.ready-dev  ## Check style and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

format: .venv/.ready-dev  ## Bring the code into its form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

types: .venv/.ready-dev  ## Check types, strictly, where the thinking is
	@$(BIN)/mypy

bench: .venv/.ready-bench  ## Run the benchmarks in their short form
	@for name in speakers audio chain waiting orchestration; do $(BIN)/python -m bench.$$name --quick || exit 1; done

demo-models:  ## Train the demo models anew (an hour, needs espeak-ng)
	@PYTHON="$(PYTHON)" demo/training/train.sh

lock:  ## Resolve all versions anew
	@rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/python -m pip install --quiet pip==$(PIP_VERSION)
	@.venv-lock/bin/python -m pip install --quiet -e gpu_job_image
	@.venv-lock/bin/python -m pip freeze --exclude-editable > gpu_job_image/requirements.lock
	@.venv-lock/bin/python -m pip install --quiet -e gpu_job_image -e . --group dev --group bench
	@.venv-lock/bin/python -m pip freeze --exclude-editable > requirements.lock
	@rm -rf .venv-lock

clean:  ## Remove what was made, but never data/
	rm -rf .venv .cache escriba-demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/.ready: $(PROJECT)
	@test -n "$(PYTHON)" || { echo "Escriba needs Python 3.11 or 3.12; set PYTHON=/path/to/it."; exit 1; }
	@echo "Setting up .venv (a minute or two, once) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) install pip==$(PIP_VERSION)
	@$(PIP) install -c requirements.lock -e gpu_job_image -e .
	@touch $@

.venv/.ready-dev: .venv/.ready
	@$(PIP) install -c requirements.lock --group dev
	@touch $@

.venv/.ready-bench: .venv/.ready-dev
	@$(PIP) install -c requirements.lock --group bench
	@touch $@
