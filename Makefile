# `make up` runs Darkroom on this machine, `make test` proves it. Python 3.11 or newer with pip is
# all that has to be there: what else is needed, Java included, comes as wheels.

PYTHON ?= python3
PORT ?= 9000
# Where torch comes from; another of PyTorch's indexes for a GPU, empty for pip's own indexes.
TORCH_INDEX_URL ?= https://download.pytorch.org/whl/cpu

BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: up test faults check archives train lock

# The whole cluster, until Ctrl-C.
up: archives
	@$(BIN)/darkroom up --port $(PORT)

test: .venv/dev archives
	$(BIN)/python -m pytest

# What takes minutes: workers and databases killed again and again.
faults: .venv/dev
	$(BIN)/python -m pytest -m faults

check: .venv/dev
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy

# One .mar for each model server, in model-store/.
archives: .venv/deployed
	$(BIN)/python -m handlers.build

# Both networks anew from their data, about two hours on one core; then thresholds, reports, model
# cards, and archives of the new weights.
train: .venv/dev
	$(BIN)/python -m training.defects && $(BIN)/python -m training.evaluate_defects
	$(BIN)/python -m training.tone && $(BIN)/python -m training.evaluate_tone
	$(BIN)/python -m handlers.build --record

# Exact versions of everything, as pip resolves pyproject.toml today.
lock: .venv/dev
	$(BIN)/python requirements/lock.py

# The environment of the cluster; the empty files remember that it is up to date.
.venv/deployed: requirements/torch.txt requirements/gateway.txt requirements/serve.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("make PYTHON=…: 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(INSTALL) -r requirements/gateway.txt -r requirements/serve.txt
	$(INSTALL) $(if $(TORCH_INDEX_URL),--index-url $(TORCH_INDEX_URL)) -r requirements/torch.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: .venv/deployed requirements/dev.txt
	$(INSTALL) -r requirements/dev.txt
	@touch $@
