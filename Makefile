# Everything a contributor runs. Needs git, make, Python ≥ 3.10 with venv, and Node ≥ 20 for the client.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check test-server test-client corpus editors generate lock clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: $(READY) ## Install what the other targets need into .venv

$(READY): pyproject.toml server/constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint server/constraints.txt --editable . --group dev
	touch $@

demo: $(READY) ## Show the main job on a published history: see, write, try
	@$(BIN)/python tests/demo/demo.py

test: check test-client test-server ## Run every check and test

check: $(READY) ## Formatter, linter and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test-server: $(READY) ## Tests of the Python side
	$(BIN)/pytest -n auto

test-client: node_modules/.package-lock.json ## Checks and tests of the VS Code extension
	npm run --silent check
	npm test --silent

node_modules/.package-lock.json: package-lock.json
	npm ci --silent --no-audit --no-fund

editors: $(READY) node_modules/.package-lock.json ## Drive a real VS Code with the packed extension (needs chromium)
	npm run --silent e2e

corpus: $(READY) ## Lint and rehearse published histories, and report
	$(BIN)/python tests/corpus/report.py

generate: $(READY) ## Write what is generated from the code: rule pages, tables, manifest
	$(BIN)/python -m alembic_roundtrip.rulebook

lock: ## Pin the newest versions of what tests run with (OLDEST=python3.10 NEWER=python3.11)
	$(PYTHON) tests/lock.py $(or $(OLDEST),python3.10) $(or $(NEWER),python3.11)

clean: ## Remove everything that was installed or built
	rm -rf .venv node_modules client/dist .cache
