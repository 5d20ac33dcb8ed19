# Everything a developer or a machine runs here. `make help` lists it.

SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
EXTRAS := turn,audio,dev
PYTHON ?= python3
export UV_PYTHON_DOWNLOADS := never

.PHONY: help setup demo test check bench constraints clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv with everything that is needed; a second time it does nothing.

$(STAMP): pyproject.toml constraints.txt scripts/setup.sh
	@PYTHON='$(PYTHON)' scripts/setup.sh '$(VENV)' '$(EXTRAS)'

demo: setup ## Watch a simulated robot hold a conversation.
	@$(BIN)/robot-hub demo

test: setup ## Run all tests that need no heavy engine.
	@$(BIN)/python -m pytest -n 2 -m 'not engine'

check: setup ## Lint, formatting, types, import contracts, constraints.
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/check_constraints.py

bench: setup ## Measure this build against raw limits; CASES='bus gc' for some of them.
	@$(BIN)/python -m benchmarks $(CASES)

constraints: setup ## Choose new versions for constraints.txt.
	@scripts/constraints.sh '$(BIN)/uv' '$(EXTRAS)'

clean: ## Remove what was built, the environment included.
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
