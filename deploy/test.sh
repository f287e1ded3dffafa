#!/bin/sh
# What `make test` runs: the static checks beside the whole specification, in two processes; with a folder of tests, that alone.
set -u
[ -z "${TEST_SEED:-}" ] || echo "Tests run in random order: TEST_SEED=$TEST_SEED repeats it."
if [ -n "${DOMAIN-}" ]; then
  case $DOMAIN in *[!a-z_]*) false ;; *) [ -d "tests/$DOMAIN" ] ;; esac || { echo "There is no folder tests/$DOMAIN. There are: $(cd tests && ls -d [a-z]*/ | tr -d / | grep -v testkit | tr '\n' ' ')" >&2; exit 2; }
  exec .venv/bin/python -m pytest -n 2 "tests/$DOMAIN"
fi
output=$(mktemp)
trap 'rm -f "$output"' EXIT
deploy/static.sh > "$output" 2>&1 &
static=$!
.venv/bin/python -c "from tests.testkit.installation import build_page; build_page()" > /dev/null 2>&1 & # whoever needs it waits for it
measure=".venv/bin/python -m slipcover"
mkdir -p .scratch
$measure --dont-wrap-pytest --json --out .scratch/coverage.json -m pytest -n 2 tests
tests=$?
# Judged apart: in one go SlipCover 1.1 judges what all processes have covered, but prints what this one has. The floor only rises.
covered=0 floor=96
if [ $tests = 0 ]; then
  $measure --merge .scratch/coverage.json --out .scratch/coverage.json --fail-under $floor || covered=$?
fi
wait $static
checks=$?
cat "$output"
if [ $tests = 0 ] && [ $covered = 0 ] && [ $checks = 0 ]; then echo "All is well."; else
  [ $covered = 0 ] || echo "Coverage is below its floor of $floor %: the table above says of what." >&2
  echo "Something failed; it is said above." >&2
  exit 1
fi
