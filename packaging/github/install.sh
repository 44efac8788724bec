#!/usr/bin/env bash
# Puts hitrate on the path of the job's next steps: the one that is there already, a version from PyPI, or the sources
# that the action came with. All values come from the environment, never from the text of the script.
set -euo pipefail

if [ -n "${HITRATE_VERSION:-}" ]; then
  pipx install --force "hitrate==$HITRATE_VERSION"
elif command -v hitrate >/dev/null; then
  echo "hitrate is installed: $(hitrate --version)"
else
  root="${RUNNER_TEMP:?}/hitrate"
  cargo install --quiet --locked --path "${HITRATE_SOURCE:?}" --root "$root"
  echo "$root/bin" >>"${GITHUB_PATH:?}"
fi
