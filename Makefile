# Everything happens in .venv and .cache beside this file: only Python and make must be there.

PYTHON ?= python3
PYTEST_ARGS ?=
BENCH_ARGS ?=

VENV := .venv/bin
CODE := $(wildcard function_app.py functions relay local component tests examples benchmarks pipelines/comment.py .ci/skips.py)
AZURITE := azurite@3.37.0
KUSTO := @kusto/language-service-next@12.4.1
AXE := axe-core@4.14.1
NPM_PARTS := .cache/node_modules/.$(AZURITE)-$(notdir $(KUSTO))-$(AXE)
# A test's process compiles no module that one before has compiled.
unexport PYTHONDONTWRITEBYTECODE

# What is never imported is never compiled: a third of the time that an installation takes.
PIP := -m pip install -qq --no-compile --disable-pip-version-check
UV := uv==0.13.9

# $(call packages,FOLDER,FILE): what a locked file names, into a virtual environment. uv takes a fifth
# of pip's time; where it is not to be had, or does not get to what pip is set up to get to, pip does it.
packages = { $(VENV)/uv pip install -q --no-config --python $(1)/bin/python \
	$${PIP_INDEX_URL:+--default-index "$$PIP_INDEX_URL"} -r $(2) || $(1)/bin/python $(PIP) -r $(2); }

# One lock for every Python and system that this is for, from PyPI alone, whatever this machine is set to.
COMPILE = env -u PIP_FIND_LINKS $(VENV)/uv pip compile --quiet --no-config --universal --generate-hashes \
	--custom-compile-command 'make lock' --default-index https://pypi.org/simple $(if $(UPGRADE),--upgrade)

# $(call slowly,WHAT,COMMAND): a line that says what takes its time, then how long it took; what
# the command printed is shown only if it failed
slowly = printf '%s ... ' '$(1)'; begun=$$(date +%s); said=$$(mktemp); \
	if { $(2); } > "$$said" 2>&1; then \
		echo "$$(( $$(date +%s) - begun )) s"; rm -f "$$said"; \
	else \
		echo 'failed:'; cat "$$said"; rm -f "$$said"; exit 1; \
	fi

# Ends with a message if this Python cannot be used.
define FIT
import sys
found = "%s is Python %d.%d" % ((sys.argv[1],) + tuple(sys.version_info[:2]))
if not (3, 11) <= tuple(sys.version_info[:2]) < (3, 15):
    sys.exit(found + ", but 3.11, 3.12, 3.13 or 3.14 is needed. Name one: make PYTHON=python3.12 ...")
try:
    import ensurepip, venv
except ImportError:
    sys.exit(found + " without venv. On Debian and Ubuntu: apt-get install python3-venv")
endef
export FIT

.PHONY: help demo up test proofs test-clock soak seeds stress bench bench-growth check lint types floors schema infra infra-outside format lock clean setup parts

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: setup ## show a training run start a pipeline; PATTERN=sync, async, thread, wait, component, follow, then, concurrency, notify, join, expect, promotion or github: others
	@$(VENV)/python -m local.demo $(if $(PATTERN),--pattern $(PATTERN))

up: setup ## keep the local Azure, MLflow and the app running, until Ctrl-C; other ports: PORT_BASE=N
	@$(VENV)/python -m local.up $(if $(PORT_BASE),--port-base $(PORT_BASE))

test: setup parts ## run the whole suite; part of it: make test PYTEST_ARGS='-k reconcile'
	@$(VENV)/python -m pytest -n 3 --dist loadfile -m 'not proof' $(PYTEST_ARGS)

proofs: setup parts ## what takes longer than it tells each time: benchmarks that measure, hosts that freeze, long stories
	@$(VENV)/python -m pytest -m proof $(PYTEST_ARGS)

test-clock: setup ## the same while days, years and summer time end in each test, before a release
	@$(VENV)/python -m tests.clock $(PYTEST_ARGS)

soak: setup parts ## 5,000 runs while services fail and processes die; again: RUN_RELAY_SOAK_SEED=N
	@RUN_RELAY_SOAK_RUNS=$${RUN_RELAY_SOAK_RUNS:-5000} RUN_RELAY_SOAK_SEED=$${RUN_RELAY_SOAK_SEED:-$$$$} $(VENV)/python -m pytest -s tests/soak/test_soak.py $(PYTEST_ARGS)

seeds: setup parts ## 20 seeds of 500 runs over both ledgers: the days of a team, groups, joins, both services; again: RUN_RELAY_SEED=N
	@RUN_RELAY_SEEDS=$${RUN_RELAY_SEEDS:-20} RUN_RELAY_SEED_RUNS=$${RUN_RELAY_SEED_RUNS:-500} $(VENV)/python -m pytest -n 2 tests/soak/test_seeds.py tests/soak/test_groups.py tests/soak/test_joins.py tests/flow/services/test_random.py $(PYTEST_ARGS)

stress: setup ## 300 fresh processes with 32 first events each, on busy cores: none may die
	@RUN_RELAY_STRESS_PROCESSES=$${RUN_RELAY_STRESS_PROCESSES:-300} $(VENV)/python -m pytest -s tests/stress $(PYTEST_ARGS)

bench: setup parts ## how fast, light and cheap it is, in some 9 minutes; roughly in one: QUICK=1
	@$(VENV)/python -m benchmarks $(if $(QUICK),--quick) $(BENCH_ARGS)

bench-growth: setup parts ## the same with up to a million continuations in the ledger; some 20 minutes
	@$(VENV)/python -m benchmarks $(if $(QUICK),--quick) growth page carrying backlog sweeping

check: lint types floors schema ## all four: lint and formatting, types, imports, routes.schema.json

lint: setup
	@$(call slowly,ruff,$(VENV)/ruff check -q --output-format concise $(CODE) && $(VENV)/ruff format -q --check $(CODE))

types: setup
	@$(call slowly,mypy,$(VENV)/mypy --strict $(CODE))

floors: setup
	@$(call slowly,import-linter,$(VENV)/lint-imports --no-logo)

schema: setup
	@$(call slowly,routes.schema.json,$(VENV)/python -m relay schema | diff -u routes.schema.json -)

infra: setup ## judge infra/ by the Bicep compiler; keep what it now predicts: SNAPSHOTS=keep
	@$(call slowly,bicep,$(VENV)/python -m tests.infra.judged $(SNAPSHOTS))

infra-outside: setup .cache/checkov/.installed ## ask checkov, a judge from outside, about the predicted deployments
	@$(VENV)/python -m tests.infra.outside .cache/checkov/bin/checkov

.cache/checkov/.installed:
	@$(call slowly,installing checkov (about a minute),$(PYTHON) -m venv --clear .cache/checkov && .cache/checkov/bin/python $(PIP) checkov==3.3.30)
	@touch $@

format: setup ## put the code into its form
	@$(VENV)/ruff check -q --fix-only $(CODE)
	@$(VENV)/ruff format $(CODE)

lock: setup ## make requirements*.txt of requirements*.in; newer versions of what those do not name: UPGRADE=1
	@$(call slowly,requirements.txt,$(COMPILE) --python-version 3.11 requirements.in -o requirements.txt)
	@$(call slowly,requirements-cli.txt,$(COMPILE) --python-version 3.11 -c requirements.txt requirements-cli.in -o requirements-cli.txt)
	@$(call slowly,requirements-dev.txt,$(COMPILE) --python-version 3.11 -c requirements-cli.txt requirements-dev.in -o requirements-dev.txt)
	@$(call slowly,requirements-worker.txt,$(COMPILE) --python-version 3.13 -c requirements.txt requirements-worker.in -o requirements-worker.txt)

clean: ## remove what the other targets made
	rm -rf .venv .cache .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(CODE) -type d -name __pycache__ -prune -exec rm -rf {} +

# What is installed, each once
setup: .venv/.installed ## only install what the app, the demo and the checks need
parts: $(NPM_PARTS) .cache/worker/.installed ## only install the tests' real parts
	@command -v chromium > /dev/null || echo 'there is no chromium: the tests of the page in a browser will be skipped'

.venv/.installed: requirements-dev.txt
	@command -v $(PYTHON) > /dev/null || { echo 'there is no $(PYTHON): make PYTHON=... names another' >&2; exit 1; }
	@$(PYTHON) -c "$$FIT" $(PYTHON)
	@$(call slowly,making .venv with $(PYTHON),$(PYTHON) -m venv --clear .venv)
	@$(VENV)/python $(PIP) $(UV) || echo 'there is no $(UV) here: pip does its work, and takes longer'
	@$(call slowly,installing the packages (up to a minute),$(call packages,.venv,requirements-dev.txt))
	@touch $@

# Azurite plays Table storage, Microsoft's language service checks the KQL, and axe judges whether
# everybody can use the page. Without node the tests that need them are skipped, and say so.
$(NPM_PARTS):
	@mkdir -p .cache
	@if ! command -v node > /dev/null || ! command -v npm > /dev/null; then \
		echo 'node or npm is missing: the tests on Azurite, of the KQL and with axe will be skipped'; \
	elif ! ( $(call slowly,installing $(AZURITE) $(KUSTO) $(AXE) (about a minute),npm install --prefix .cache --no-save --no-audit --no-fund $(AZURITE) $(KUSTO) $(AXE) && touch $@) ); then \
		echo 'the tests on Azurite, of the KQL and with axe will be skipped'; \
	fi

# The library that Azure loads an app with exists from Python 3.13 on. The suite's own Python is
# asked first.
.cache/worker/.installed: requirements-worker.txt | .venv/.installed
	@for python in $(PYTHON) python3.13 python3.14 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.1[34]*/bin/python; do \
		"$$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 13) <= sys.version_info[:2] < (3, 15))' 2> /dev/null || continue; \
		$(call slowly,installing the Functions worker with '"$$python"',"$$python" -m venv --clear .cache/worker && $(call packages,.cache/worker,requirements-worker.txt) && touch $@); \
		exit 0; \
	done; \
	echo 'there is no Python 3.13 or 3.14: the tests on the Functions worker will be skipped'
