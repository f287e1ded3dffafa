# Remediation Engine. `make run` and `make test` do all their own set-up; `make help` lists the rest.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run dev test check fast audit lock screenshots system chaos bench bench-smoke bench-ui demo fuzz

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 22

run: $(VENV)/run.stamp ## start everything and print the address; Ctrl-C stops it
	@exec $(BIN)/python -m engine up

dev: $(VENV)/run.stamp ## like run, with hot reload of pages and code
	@exec $(BIN)/python -m engine dev

test: $(VENV)/test.stamp system ## run the whole specification
	@$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest tests -m "not fast" --cov --cov-append --cov-report=term:skip-covered

check: $(VENV)/test.stamp ## format, lint, types, import contracts, shape, fast tests; under a minute
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --config pyproject.toml
	$(BIN)/basedpyright
	@rm -f .coverage
	$(BIN)/python -m pytest tests -m fast --cov --cov-report= --cov-fail-under=0

demo: $(VENV)/run.stamp ## play a scripted outage through the webhooks of the product that runs; ARGS=--remove takes it away
	@$(BIN)/python -m engine demo $(ARGS)

chaos: $(VENV)/test.stamp system ## post alerts while everything is killed, 50 times; nothing may be lost or doubled
	$(BIN)/python -m benchmarks.chaos --kills 50

bench: $(VENV)/test.stamp system ## how fast alerts are acknowledged, grouped and listed; prints JSON, takes half an hour
	$(BIN)/python -m benchmarks.intake

bench-smoke: $(VENV)/test.stamp ## the short form: fails when CPU or statements exceed the committed figures by half
	$(BIN)/python -m benchmarks.smoke

bench-ui: $(VENV)/test.stamp system ## how quick the page is, with many looking and in a storm; prints JSON
	$(BIN)/python -m benchmarks.ui --alerts 1000000

fuzz: $(VENV)/test.stamp ## fuzz every route by its contract, for long
	TEST_FUZZ_EXAMPLES=500 $(BIN)/python -m pytest tests/api/test_fuzz.py

audit: $(VENV)/test.stamp ## known vulnerabilities of what we depend on, and secrets in the tree
	$(BIN)/python deploy/find_secrets.py
	$(BIN)/pip-audit --requirement deploy/constraints.txt --disable-pip --no-deps --strict

screenshots: $(VENV)/test.stamp system ## take the pictures in docs/ anew
	$(BIN)/python docs/screenshots.py

lock: ## resolve requirements.txt anew into deploy/constraints.txt
	rm -rf .scratch/lock && $(PYTHON) -m venv .scratch/lock
	.scratch/lock/bin/pip install -q -r tests/requirements.txt
	{ echo "# Made by \`make lock\`: everything below requirements.txt and tests/requirements.txt, pinned."; \
	  .scratch/lock/bin/pip freeze --exclude setuptools; } > deploy/constraints.txt

system:
	@deploy/test-system.sh

$(VENV)/run.stamp: requirements.txt deploy/constraints.txt
	@PYTHON="$(PYTHON)" deploy/environment.sh $(VENV) requirements.txt
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp tests/requirements.txt
	@PYTHON="$(PYTHON)" deploy/environment.sh $(VENV) tests/requirements.txt
	@touch $@
