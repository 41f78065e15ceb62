# Everything a person does here, one target each; `make help` lists them. Longer logic is in .ci/.
# ARGS goes to the program: make run ARGS="--help", make test ARGS="-k names".

.DEFAULT_GOAL := check
WORKERS ?= 2
PYTEST = .venv/bin/python -m pytest
.PHONY: help venv venv-test tools run test offline fuzz lint format types check bench fresh clean

help:  ## print this list
	@sed -n 's/^\([a-z%-]*\):.*##  *\(.*\)/\1\t\2/p' Makefile | expand -t 12

run: venv  ## start the box here, as an explicit proxy, with its state in var/ (Ctrl-C stops it)
	@exec .venv/bin/schoolgate run --state var $(ARGS)

test: venv-test tools  ## run every test
	@$(PYTEST) -n $(WORKERS) --dist loadgroup $(ARGS)

check: lint types test  ## lint, types and test: what a change must pass (the default)

lint: venv-test  ## ruff: rules and format
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .

format: venv-test  ## ruff: mend what it can mend
	@.venv/bin/ruff check --fix . ; .venv/bin/ruff format .

types: venv-test  ## mypy --strict over filters and appliance
	@.venv/bin/mypy

offline: venv-test tools  ## run every test with no network but loopback
	@.ci/offline $(PYTEST) -n $(WORKERS) --dist loadgroup $(ARGS)

fuzz: venv-test  ## run the Hypothesis laws a hundred times longer
	@$(PYTEST) -m hypothesis --hypothesis-profile fuzz --timeout 0 -n $(WORKERS) $(ARGS)

bench: venv-test  ## measure the budgets, beside Squid, HAProxy and unbound where they are installed
	@.venv/bin/python tests/bench/run.py $(ARGS)

bench-%: venv-test  ## measure one part only, for example bench-rules
	@.venv/bin/python tests/bench/run.py $* $(ARGS)

venv:  ## set up .venv with what the box needs
	@.ci/venv run

venv-test:  ## set up .venv with what the tests need as well
	@.ci/venv test

tools:  ## install (root) or name the programs that the tests drive
	@.ci/tools

fresh:  ## try all this in a new Debian tree (root; SUITE=trixie or bookworm)
	@.ci/fresh $(SUITE)

clean:  ## remove what was built; the box's state in var/ stays
	rm -rf .venv *.egg-info build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './var/*' -prune -exec rm -rf {} +
