#!/bin/sh
# Writes requirements.lock anew from pyproject.toml: one lock with hashes for every supported Python and platform
# (tool.uv.environments), that names no index. Locked versions stay unless pyproject.toml forbids them.
# Arguments go to `uv pip compile`, such as --upgrade. UV names the uv to use.
set -eu
cd "$(dirname "$0")/.."
everywhere="python_full_version < '3.14' and ((platform_machine == 'arm64' and sys_platform == 'darwin') or \
(platform_machine == 'aarch64' and sys_platform == 'linux') or (platform_machine == 'x86_64' and sys_platform == 'linux'))"
part=$(mktemp)
trap 'rm -f "$part"' EXIT
sed '/^#/d' requirements.lock > "$part"
"${UV:-uv}" pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes --no-header \
  --no-annotate --no-emit-index-url --no-emit-find-links --output-file "$part" pyproject.toml "$@" > /dev/null
{
  echo "# The project's environment, for Python 3.11 to 3.13 on Linux (x86_64, aarch64) and macOS (arm64)."
  echo "# Written by scripts/compile_lock.sh; do not edit."
  sed "s/ ; $everywhere//" "$part"
} > requirements.lock
