# Remediation Engine. `make run` and `make test` do all their own set-up; `make help` lists the rest.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONDONTWRITEBYTECODE # compiled modules are kept: without them every start takes seconds longer

.DEFAULT_GOAL := help
.PHONY: help run dev test check fast audit lock screenshots system chaos soak bench bench-smoke bench-ui demo fuzz

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 22

run: $(VENV)/run.stamp ## start everything and print the address; Ctrl-C stops it
	@exec $(BIN)/python -m engine up

dev: $(VENV)/run.stamp ## like run, with hot reload of pages and code
	@exec $(BIN)/python -m engine dev

test: $(VENV)/test.stamp system ## run the whole specification; DOMAIN=operations runs one folder of it
	@deploy/test.sh

check: $(VENV)/test.stamp ## format, lint, types, import contracts, fast tests; under a minute
	@deploy/check.sh

soak: $(VENV)/test.stamp system ## what takes long by nature: 50 kills, long fuzz, the whole benchmark
	$(BIN)/python -m benchmarks.chaos --kills 50
	$(MAKE) --no-print-directory fuzz
	$(BIN)/python -m benchmarks.intake

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
	TEST_FUZZ_EXAMPLES=500 $(BIN)/python -m pytest --timeout 0 tests/api/test_fuzz.py

audit: $(VENV)/test.stamp ## secrets in the tree, and known vulnerabilities of what we depend on
	$(BIN)/python deploy/find_secrets.py
	$(BIN)/python deploy/check_advisories.py

screenshots: $(VENV)/test.stamp system ## take the pictures in docs/ anew
	$(BIN)/python docs/screenshots.py

lock: ## resolve both requirements.txt anew into the locks in deploy/
	PYTHON="$(PYTHON)" deploy/lock.sh

system:
	@deploy/test-system.sh

$(VENV)/run.stamp: deploy/run.lock deploy/pip.lock deploy/environment.sh
	@PYTHON="$(PYTHON)" deploy/environment.sh $(VENV) deploy/run.lock
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp deploy/test.lock
	@PYTHON="$(PYTHON)" deploy/environment.sh $(VENV) deploy/test.lock
	@touch $@
