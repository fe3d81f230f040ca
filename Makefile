# Everything that this book can do, one word each: `make` lists them. Each makes the environment that it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m
PAGE := _build/html/index.html

# nbgrader, Jupyter and others call their commands by name. Small networks are faster on one thread.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export OMP_NUM_THREADS := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help book lab test notebooks experiments bench lint clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

book: $(PAGE) ## build the pages; open _build/html/index.html
	@echo "The book: $(PAGE)"

lab: $(VENV)/.installed ## open the notebooks in JupyterLab, as your own copies in my_work/ (LAB="--no-browser": options)
	@$(RUN) tools.lab -- $(LAB)

test: lint $(PAGE) ## check everything: style, types, notebooks, pages, package
	@$(RUN) tools.notebooks --check
	@RLKIT_PROGRESS=off $(RUN) pytest --nbval tests notebooks -n 2 --dist loadfile -q

notebooks: $(VENV)/.installed ## execute the chapters whose text or code has changed
	@$(RUN) tools.notebooks
	@$(RUN) tools.front_figure

experiments: $(VENV)/.installed ## repeat the long runs behind the published tables (CH=3: of one chapter)
	@$(RUN) rlkit.experiments $(CH)

bench: $(VENV)/.bench ## time the package against its peers
	@for file in $(wildcard tests/benchmarks/bench_*.py); do \
	$(RUN) $$(echo "$${file%.py}" | tr / .) || exit 1; done

lint: $(VENV)/.dev ## check style, types and workflow files
	@$(BIN)/ruff check --quiet --output-format concise .
	@$(BIN)/ruff format --check --quiet --output-format concise . || { echo "Run $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/mypy --no-error-summary rlkit tools
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml

clean: ## remove what was built; keeps .venv, and your my_work/
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find rlkit tests tools -name __pycache__ -exec rm -rf {} +

# --- the pages ---

SOURCES := _config.yml _toc.yml $(wildcard notebooks/*.ipynb) \
	$(shell find book rlkit -type f -not -path '*/__pycache__/*' -not -name '.*')

# index.html is copied anew on every build, so it serves as the stamp.
$(PAGE): $(VENV)/.installed $(SOURCES)
	@echo "Building the pages ..."
	@$(BIN)/jupyter-book build . -W --keep-going --all --quiet
	@touch $@

# --- the environment: a stamp for each list of requirements ---

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"This book needs Python 3.11 or newer, but \
	$(PYTHON) is {v[0]}.{v[1]}. Name a newer one: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing what the book needs into $(VENV) (once, some minutes) ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.installed
	@echo "Installing what the tests need ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@

$(VENV)/.bench: requirements-bench.txt $(VENV)/.dev
	@echo "Installing what the benchmarks need ..."
	@$(PIP) -r requirements-bench.txt
	@touch $@
