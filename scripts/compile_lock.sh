#!/bin/sh
# Writes requirements.lock anew from pyproject.toml, without the address of whichever registry served it.
# Arguments go to pip-compile, such as --upgrade.
set -eu
cd "$(dirname "$0")/.."
[ -x .venv/bin/pip-compile ] || .venv/bin/pip install --quiet "pip-tools>=7.5,<8"
{
  echo "# The project's environment, for Python 3.11. Written by scripts/compile_lock.sh; do not edit."
  .venv/bin/pip-compile --quiet --extra dev --generate-hashes --allow-unsafe --strip-extras --no-header \
    --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file - pyproject.toml "$@"
} > requirements.lock.part
mv requirements.lock.part requirements.lock
