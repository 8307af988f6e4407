# `make up` runs Darkroom on this machine, `make test` proves it. Python 3.11 or newer with pip is
# all that has to be there: what else is needed, Java included, comes as wheels.

PYTHON ?= python3
PORT ?= 9000
# Where torch comes from; another of PyTorch's indexes for a GPU, empty for pip's own indexes.
TORCH_INDEX_URL ?= https://download.pytorch.org/whl/cpu

BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Node comes as a wheel too; what the page is built with is locked in web/package-lock.json.
IN_WEB := cd web && export PATH="$(CURDIR)/$(BIN):$$PATH" &&
PACKAGES := web/node_modules/.package-lock.json

.PHONY: up test test-cluster test-rest faults containers check archives page train lock

# The whole cluster, until Ctrl-C.
up: archives page var/classes.jsa
	@$(BIN)/darkroom up --port $(PORT)

# Two at a time: neither alone keeps two cores busy. Each reports when it has ended.
test: .venv/dev archives page var/classes.jsa
	@$(MAKE) --no-print-directory --jobs=2 --output-sync test-cluster test-rest

test-cluster:
	$(BIN)/python -m pytest tests/end_to_end

test-rest:
	$(BIN)/python -m pytest --ignore=tests/end_to_end

# What takes minutes: workers and databases killed again and again.
faults: .venv/dev
	$(BIN)/python -m pytest -m faults

# The containers, built, started, scaled and struck, on one machine and in a Swarm, where an engine runs.
containers: .venv/dev
	deploy/try

check: .venv/dev $(PACKAGES)
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy
	$(IN_WEB) npm run --silent check && npm test --silent

# One .mar for each model server, in model-store/.
archives: .venv/deployed
	$(BIN)/python -m handlers.build

# What every Java loads, read once for all; without it they only start slower.
var/classes.jsa: .venv/deployed | archives
	-$(BIN)/python -m darkroom.cluster.classes

# The web page, built into web/dist.
page: web/dist/index.html

web/dist/index.html: $(PACKAGES) $(wildcard web/src/* web/src/*/* web/public/*) web/index.html web/vite.config.ts
	$(IN_WEB) npm run --silent build -- --logLevel warn

$(PACKAGES): web/package.json web/package-lock.json .venv/page
	$(IN_WEB) npm ci --silent
	@touch $@

# All networks anew from their data, about eight hours on one core; then thresholds, reports, model
# cards, and archives of the new weights.
train: .venv/dev
	$(BIN)/python -m training.defects
	$(BIN)/python -m training.restore && $(BIN)/python -m training.evaluate_restore
	$(BIN)/python -m training.tone
	$(BIN)/python -m training.tone --further model-store/weights/tone.safetensors --minutes 40
	$(BIN)/python -m training.darkness && $(BIN)/python -m training.evaluate_defects
	$(BIN)/python -m training.evaluate_tone
	$(BIN)/python -m training.straighten && $(BIN)/python -m training.evaluate_straighten
	$(BIN)/python -m training.colorize && $(BIN)/python -m training.polish_colorize
	$(BIN)/python -m training.colorize --further model-store/weights/colorize.safetensors --minutes 110
	$(BIN)/python -m training.evaluate_colorize --fit
	$(BIN)/python -m handlers.build --record

# Exact versions of everything, as pip resolves pyproject.toml today.
lock: .venv/dev
	$(BIN)/python requirements/lock.py

# The environment of the cluster; the empty files remember that it is up to date.
DEPLOYED := $(foreach part,gateway jobs serve,requirements/$(part).txt)
.venv/deployed: requirements/torch.txt $(DEPLOYED) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("make PYTHON=…: 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(INSTALL) $(DEPLOYED:%=-r %)
	$(INSTALL) $(if $(TORCH_INDEX_URL),--index-url $(TORCH_INDEX_URL)) -r requirements/torch.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: .venv/deployed requirements/dev.txt
	$(INSTALL) -r requirements/dev.txt
	@touch $@

.venv/page: .venv/deployed requirements/page.txt
	$(INSTALL) -r requirements/page.txt
	@touch $@
