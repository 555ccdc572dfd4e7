# make demo and make test are all a newcomer needs; each sets up what it needs first.
# PYTHON=/path/to/python3.12 chooses the interpreter; make takes it from the command line or the environment.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
WORKERS ?= 2
LOCK := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --universal pyproject.toml
# A machine that forbids bytecode makes every command import everything from source.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup dev demo test check unit cloud e2e long pythons bench docs diagrams captures lock init clean

help: ## Show this list.
	@sed -n 's/^\([a-z0-9]*\):.*## /\1	/p' Makefile | expand -t 8

setup: ## Make or repair .venv with what the platform needs; .venv/bin/mlops is the command.
	@PYTHON='$(PYTHON)' tools/setup.sh run

dev: ## The same with the tools of developers.
	@PYTHON='$(PYTHON)' tools/setup.sh dev

demo: setup ## Take a model from nothing to production in four accounts, on this machine.
	@$(BIN)/mlops demo

test: check unit cloud e2e ## Everything that CI always runs.

check: dev ## Style, types, layers, dependencies, seeds.
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet --no-cache .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/deptry src

unit: dev ## Tests that start no cloud.
	@$(BIN)/pytest -n $(WORKERS) -m "not cloud and not e2e and not long and not aws"

cloud: dev ## Tests of the local cloud with real clients.
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "cloud and not e2e and not long and not aws"

e2e: dev ## Whole projects on the local cloud, in the order a project lives through.
	@$(BIN)/pytest -p no:randomly -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "e2e and not aws"

long: dev ## Checks that take long, and every other Python; MINUTES=30 takes what fits, PARTS="..." those named.
	@$(BIN)/python tools/long_checks.py $(if $(MINUTES),--minutes $(MINUTES)) $(PARTS)

pythons: dev ## Set-up, demo and tests without a cloud on every other Python of this machine.
	@tools/every_python.sh

bench: dev ## Speed, as ratios in one run against named baselines.
	@$(BIN)/python -m bench

docs: dev ## Build the documentation into site/; begin with site/get-started.html.
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

captures: dev ## Take the pictures of commands in docs/captures anew; some minutes.
	@$(BIN)/python tools/captures.py
	@$(BIN)/python tools/recording.py

diagrams: ## Draw the diagrams of the documentation anew; needs graphviz.
	@tools/diagrams.sh

lock: dev ## Write the lock files anew from pyproject.toml.
	@$(LOCK) --group dev -o requirements/dev.txt
	@$(LOCK) --group install --constraint requirements/dev.txt -o requirements/run.txt

init: dev ## Install the git hooks: format and check before each commit.
	@git config core.hooksPath tools/hooks

clean: ## Remove what was built; running demos are ended first.
	@if [ -x $(BIN)/mlops ]; then for state in .mlops .mlops-demo/.mlops; do $(BIN)/mlops local reset --yes --state-dir $$state >/dev/null; done; fi
	@rm -rf .venv site dist build .mlops-demo .mlops-assembly cdk.out .pytest_cache .mypy_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
