#!/bin/sh
# Makes the project's environment: scripts/set_up.sh FOLDER, from requirements.lock, every file held to its hash.
# PYTHON names the interpreter; without it the newest fitting one is taken. uv installs in seconds what takes pip
# minutes: it is taken from the path, else from the lock by pip; where neither works pip installs everything.
set -eu
cd "$(dirname "$0")/.."
venv=$1

fits() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' > /dev/null 2>&1
}

fitting_python() {
  for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
    if fits "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  echo "h5ferry needs Python 3.11, 3.12 or 3.13, and ${PYTHON:-this machine} is or has none:" \
    "install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.13)," \
    "or name it: make PYTHON=/path/to/python3.13" >&2
  return 1
}

# The lines of one package in the lock.
locked() {
  awk -v name="$1==" 'index($0, name) == 1 { found = 1; print; next } /^[^ ]/ { found = 0 } found' requirements.lock
}

install_uv() {
  locked uv > "$venv/uv.lock"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$venv/uv.lock"
}

if ! fits "$venv/bin/python"; then
  python=$(fitting_python)
  if command -v uv > /dev/null; then
    uv venv --quiet --clear --seed --python "$python" "$venv"
  elif ! "$python" -m venv --clear "$venv" > /dev/null; then
    echo "$python cannot make environments: install its venv (Debian, Ubuntu: apt install python3-venv), or uv" >&2
    exit 1
  fi
fi

uv=$(command -v uv || command -v "$venv/bin/uv" || true)
if [ -z "$uv" ] && install_uv; then
  uv="$venv/bin/uv"
fi
if [ -n "$uv" ]; then
  install() { "$uv" pip install --quiet --python "$venv/bin/python" "$@"; }
else
  install() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
fi
install --require-hashes -r requirements.lock
install --no-deps --no-build-isolation -e .
