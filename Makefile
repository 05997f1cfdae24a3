# Every command of this project. `make` alone lists them.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEV     := $(VENV)/.dev-installed
ENGINE ?= docker
FIGURES := $(VENV)/.bench-figures
VERSION = $(shell sed -n 's/^VERSION = "\(.*\)"$$/\1/p' app/domain/__init__.py)
# A release must be a week old: by then a bad or stolen one has mostly been found.
PIP_COMPILE = PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS= $(BIN)/pip-compile --quiet --generate-hashes --strip-extras \
	--allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	--pip-args "--uploaded-prior-to P7D"

.DEFAULT_GOAL := help
.PHONY: help setup run test check fix lock docs bench faults hooks image image-test test-pythons

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(DEV) $(BIN)/wats ## Make .venv with everything for running and developing, hashes checked

run: $(RUNTIME) $(BIN)/wats ## Serve config/wats.config.yaml in dry-run on SQLite
	$(BIN)/flask wats serve --config config/wats.config.yaml --dry-run

test: $(DEV) ## Run the daily tests, with branch coverage
	$(BIN)/pytest -n auto --dist worksteal --cov --cov-report=term-missing:skip-covered
	$(BIN)/coverage report --include='app/domain/*' --skip-covered --fail-under=100

check: $(DEV) ## Everything that CI runs: format, lint, spelling, types, layers, generated docs, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check
	$(MAKE) --no-print-directory test

fix: $(DEV) ## Format, and fix what the linter can
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

lock: $(DEV) ## Compile requirements*.in into hash-locked requirements*.txt
	$(PIP_COMPILE) --upgrade --output-file requirements.txt requirements.in
	$(PIP_COMPILE) --upgrade --constraint requirements.txt --output-file requirements-otel.txt requirements-otel.in
	$(PIP_COMPILE) --upgrade --output-file requirements-dev.txt requirements-dev.in

docs: $(DEV) ## Generate the CLI, configuration and API references from the code
	$(BIN)/python docs/generate.py

bench: $(DEV) ## Measure the webhook endpoint and delivering beside their upper bounds; end with a table of the goals
	rm -f $(FIGURES)
	BENCH_FIGURES=$(FIGURES) $(BIN)/python -m bench.ingest
	BENCH_FIGURES=$(FIGURES) $(BIN)/python -m bench.job_queue
	BENCH_FIGURES=$(FIGURES) $(BIN)/python -m bench.deliver
	BENCH_FIGURES=$(FIGURES) $(BIN)/python -m bench.two_workers
	BENCH_FIGURES=$(FIGURES) $(BIN)/python -m bench.send --minute
	BENCH_FIGURES=$(FIGURES) $(BIN)/python -m bench.lean
	$(BIN)/python -m bench.goals $(FIGURES)

# Some take longer than the ten minutes after which pytest shows where a test hangs.
faults: $(DEV) ## Run the long tests: hundreds of kills, power cuts, broken stores
	$(BIN)/pytest tests/faults tests/media/test_media_memory.py --long -p no:cacheprovider -o faulthandler_timeout=0

image: ## Build the image `wats` with docker (or ENGINE=podman), labelled with version and revision
	DOCKER_BUILDKIT=1 $(ENGINE) build --tag wats --build-arg VERSION=$(VERSION) \
	    --build-arg REVISION=$$(git rev-parse HEAD) --build-arg CREATED=$$(date -u +%Y-%m-%dT%H:%M:%SZ) .

image-test: $(DEV) ## Build the image and try it, with docker or podman
	$(BIN)/pytest tests/image --image -rs -p no:cacheprovider

hooks: $(DEV) ## Install the checks that run before each commit
	$(BIN)/pre-commit install

test-pythons: ## Run the daily tests on each supported Python that is on this machine
	.ci/test-pythons

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "wats needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

$(BIN)/wats: Makefile | $(BIN)/python
	@printf '#!/bin/sh\nexec "%s/python" "%s/deploy/wats" "$$@"\n' "$(CURDIR)/$(BIN)" "$(CURDIR)" > $@
	@chmod +x $@

$(RUNTIME): requirements.txt | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME) | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.txt
	@touch $@
