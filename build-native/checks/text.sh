#!/bin/sh
# What must not stand in the repository: paths of one machine, work put off, tests switched off, build outputs, large
# files, top-level entries beside the layout. Usage: text.sh <root>
set -eu
root=$(cd "$1" && pwd)
files=$("$root"/build-native/checks/files.sh "$root" | grep -v '^build-native/checks/text\.sh$')
cd "$root"
failed=0
reject() { # reject <why> <lines, none if all is well>
  [ -z "$2" ] || {
    printf '%s:\n%s\n' "$1" "$2"
    failed=1
  }
}
find_text() { # find_text <extended regular expression>
  echo "$files" | tr '\n' '\0' | xargs -0 grep -nIE "$1" /dev/null | cut -c1-200 | head -n 20 || true
}
reject "path of one machine" "$(find_text '(^|[^a-zA-Z0-9._$}/-])/(home|root|work|farm|mnt|srv|Users)/[a-zA-Z0-9]')"
reject "work put off" "$(find_text '\b(TODO|FIXME|XXX)\b')"
# A skip that says why is no test switched off; neither is a program that writes goldens.
reject "test switched off" "$(find_text '@Disabled|\bDISABLED_|GTEST_SKIP' | grep -vE 'DISABLED_Record|GTEST_SKIP\(\) <<' || true)"
reject "build output" "$(echo "$files" | grep -E '(^|/)(target|build|cmake-build[^/]*)/|\.(so|o|a|class|jar|hprof|pyc)$' || true)"
reject "beside the layout" "$(echo "$files" | cut -d/ -f1 | sort -u |
  grep -vE '^(pom\.xml|native|java-api|build-native|benchmarks|samples|README\.md|LICENSE|NOTICE|CHANGELOG\.md|CONTRIBUTING\.md|\..*|test-summary\.json)$' || true)"
reject "above 2.5 MB" "$(echo "$files" | tr '\n' '\0' | xargs -0 du -k | awk '$1 > 2560 {print $2 " " $1 " kB"}')"
[ "$failed" = 0 ] && echo "text: $(echo "$files" | wc -l) files"
exit "$failed"
