#!/bin/sh
# The checks that read the code and run nothing of it.
set -eu
bin=.venv/bin
$bin/ruff format --check .
$bin/ruff check .
$bin/lint-imports --no-logo --config pyproject.toml
$bin/basedpyright
