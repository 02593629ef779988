#!/usr/bin/env bash
# Fetches the libraries of the audit page with npm, at the versions below, into the package. Run it to upgrade one, and
# bring the digests in vendor/README.md up to date with what it prints. Needs npm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../pipeline/report/assets/vendor"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fetch() { # package@version, then pairs: file in the package, name here
  local archive
  archive=$(npm pack --silent --pack-destination "$scratch" "$1")
  tar -xzf "$scratch/$archive" -C "$scratch"
  shift
  while (($#)); do
    cp "$scratch/package/$1" "$2"
    chmod 644 "$2"
    shift 2
  done
  rm -rf "$scratch/package"
}

fetch datatables.net@3.1.5 js/dataTables.min.js dataTables.min.js License.txt dataTables.LICENSE.txt
fetch charts.css@1.2.0 dist/charts.min.css charts.min.css LICENSE charts.css.LICENSE.txt
sha256sum dataTables.min.js charts.min.css
