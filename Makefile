# make demo and make test are all a newcomer needs; each sets up what it needs first.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
WORKERS ?= 2
# A machine that forbids bytecode makes every command import everything from source.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo test check unit cloud e2e bench docs lock init clean

help: ## Show this list.
	@sed -n 's/^\([a-z0-9]*\):.*## /\1	/p' Makefile | expand -t 8

setup: .venv/.complete ## Make .venv with everything; .venv/bin/mlops is the command.

.venv/.complete: requirements/dev.txt pyproject.toml tools/setup.sh
	@tools/setup.sh

demo: setup ## Take a model from nothing to production in four accounts, on this machine.
	@$(BIN)/mlops demo

test: check unit cloud e2e ## Everything CI runs.

check: setup ## Style, types, layers, dependencies, seeds.
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet --no-cache .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/deptry src

unit: setup ## Tests that start no cloud.
	@$(BIN)/pytest -n $(WORKERS) -m "not cloud and not e2e and not aws"

cloud: setup ## Tests of the local cloud with real clients.
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile -m "cloud and not e2e and not aws"

e2e: setup ## Whole projects on the local cloud, in the order a project lives through.
	@$(BIN)/pytest -p no:randomly -n $(WORKERS) --dist loadfile -m "e2e and not aws"

bench: setup ## Speed, as ratios in one run against named baselines.
	@$(BIN)/python -m bench

docs: setup ## Build the documentation into site/.
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

lock: setup ## Write the lock file anew from pyproject.toml.
	@$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --universal \
		pyproject.toml --group dev -o requirements/dev.txt

init: setup ## Install the git hooks: format and check before each commit.
	@git config core.hooksPath tools/hooks

clean: ## Remove what was built; running demos are ended first.
	@if [ -x $(BIN)/mlops ]; then for state in .mlops .mlops-demo/.mlops; do $(BIN)/mlops local reset --yes --state-dir $$state >/dev/null; done; fi
	@rm -rf .venv site dist build .mlops-demo .mlops-assembly cdk.out .pytest_cache .mypy_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
