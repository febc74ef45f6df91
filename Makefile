# The face of the project. `make demo` and `make test` need Python 3.11+ and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

unexport PYTHONDONTWRITEBYTECODE # else each of the hundreds of processes of a test run compiles every module again

.PHONY: demo test test-servers check bench bench-learner bench-streams soak verify chaos lock docs clean

demo: $(READY)  ## eight weeks of real shopping become member cards and recommendations
	@$(BIN)/regulars demo

PYTEST := $(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --no-loadscope-reorder

test: check  ## lint, types, contracts, and the tests that a developer runs all day
	$(PYTEST) -m "not slow and not servers"

test-servers: $(READY)  ## the other tests: PostgreSQL, Kafka, TLS, kills, races on both databases
	$(PYTEST) -m "servers and not slow"

check: $(READY)  ## lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## ratios to stated floors, measured in the same run
	$(BIN)/python -m tests.bench

bench-learner: $(READY)  ## what the learner costs; ARGS are its options
	$(BIN)/python -m tests.bench.learning $(ARGS)

bench-streams: $(READY)  ## the worker over aiokafka alone, beside two other stream processors
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --editable '.[bench]'
	$(BIN)/python -m tests.bench.streams

soak: $(READY)  ## twenty minutes of the whole way, from the log to Redis
	$(BIN)/python -m tests.bench.streams.soak

verify: check  ## the long checks, hours: the year, three policies, a cluster, kills
	$(BIN)/python -m pytest -m slow --durations=0

chaos: $(READY)  ## a cluster hurt in mid-stream in every way, ten times each; an hour
	$(BIN)/python -m tests.cluster.chaos

docs: $(READY)  ## write the pages that are generated from the code
	$(BIN)/python -m streams.docs.commands > docs/commands.md
	$(BIN)/python -m streams.docs.console > docs/console.md
	$(BIN)/python -m streams.docs.events > docs/events.md
	$(BIN)/python -m streams.docs.policy_terms > docs/policy-terms.md
	$(BIN)/python -m streams.docs.snapshots > docs/snapshots.md

lock: $(READY)  ## resolve dependencies anew; on Python 3.11, the oldest we support
	$(BIN)/pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --strip-extras --extra demo --extra dev --generate-hashes --allow-unsafe --no-header \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file requirements.lock pyproject.toml

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Regulars needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf $(VENV)
