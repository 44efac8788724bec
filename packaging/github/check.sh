#!/usr/bin/env bash
# Runs `hitrate check` as the action's inputs say, which come in the environment. The annotations and the step's summary
# are its own doing (`--format github`); the SARIF file comes from a run before, so that it is there when the step fails.
set -euo pipefail

arguments=()
paths=()
while IFS= read -r line; do [ -z "$line" ] || paths+=("$line"); done <<<"${HITRATE_PATHS:-.}"
while IFS= read -r line; do [ -z "$line" ] || arguments+=("$line"); done <<<"${HITRATE_ARGUMENTS:-}"
if [ -n "${HITRATE_CHANGED_SINCE:-}" ]; then arguments+=("--changed-since=$HITRATE_CHANGED_SINCE"); fi

sarif=${HITRATE_SARIF:-}
if [ -z "$sarif" ] && [ "${HITRATE_UPLOAD:-}" = true ]; then sarif=${RUNNER_TEMP:?}/hitrate.sarif; fi
if [ -n "$sarif" ]; then
  # What could not be read makes this run fail, too; the second one says so, and the file has it.
  hitrate check --format sarif --fail-on never ${arguments[@]+"${arguments[@]}"} -- "${paths[@]}" >"$sarif" 2>/dev/null || true
  case $sarif in /*) ;; *) sarif=$PWD/$sarif ;; esac
  echo "sarif=$sarif" >>"${GITHUB_OUTPUT:?}"
fi

exec hitrate check --format github --fail-on "${HITRATE_FAIL_ON:-warning}" ${arguments[@]+"${arguments[@]}"} -- "${paths[@]}"
