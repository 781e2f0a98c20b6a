#!/bin/sh
# Lists the files that belong to the repository, one a line: what git tracks or would track; in a copy without git,
# everything but build outputs. Usage: files.sh <root>
set -eu
cd "$1"
if git rev-parse --is-inside-work-tree > /dev/null 2>&1; then
  git ls-files --cached --others --exclude-standard | while read -r file; do
    [ ! -f "$file" ] || echo "$file"
  done
else
  find . \( -name .git -o -name target -o -path ./native/build -o -path ./out \) -prune -o -type f -print | sed 's|^\./||'
fi | sort
