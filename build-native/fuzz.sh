#!/bin/bash
# Fuzzes every reader: native ones with libFuzzer (native/tests/fuzz), Java ones with Jazzer (*FuzzTest). Builds first; as
# many run at a time as there are processors. A corpus that a run found stays for the next one.
# Usage: fuzz.sh native|java seconds|runs <seconds or executions per target> [report.json]
# The report names executions, coverage, corpus and memory of each target; one that is there keeps its other targets. Exit
# code 77: no libFuzzer here. LONGER_JOBS: compilers and targets at a time (default: the processors).
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
root=$PWD
side=${1:-}
case $side:${2:-} in
  native:seconds | java:seconds) limit=-max_total_time=$3 ;;
  native:runs | java:runs) limit=-runs=$3 ;;
  *)
    echo "usage: build-native/fuzz.sh native|java seconds|runs <number> [report.json]" >&2
    exit 64
    ;;
esac
report=${4:-}
jobs=${LONGER_JOBS:-$(nproc)}
target=$root/build-native/target/fuzz
logs=$target/logs
mkdir -p "$target" "$logs"

build_native() {
  local compiler c_compiler
  compiler=$(command -v clang++-14 || command -v clang++) || {
    echo "clang++ is not here"
    return 77
  }
  c_compiler=${compiler/clang++/clang}
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
    "$compiler" -fsanitize=fuzzer,address,undefined -x c++ - -o "$target/empty" || {
    echo "$compiler has no libFuzzer (package libclang-rt-dev)"
    return 77
  }
  cmake -G Ninja -S native -B "$target" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER="$compiler" \
    -DCMAKE_C_COMPILER="$c_compiler" -DLONGER_FUZZERS=ON -DLONGER_TESTS=OFF -DLONGER_BENCHMARKS=OFF \
    -DLONGER_SANITIZE=fuzzer-no-link,address,undefined \
    -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" && cmake --build "$target" --parallel "$jobs"
}

build_java() {
  mvn -B -ntp -q -Dlonger.cmake.tests=ON -pl java-api/longer,java-api/parquet -am -DskipTests package \
    dependency:build-classpath -DincludeScope=test -Dmdep.outputFile=target/test.classpath
}

native_targets() {
  local program
  for program in "$target"/tests/fuzz/*_fuzz; do
    [ ! -x "$program" ] || basename "$program" _fuzz
  done
}

java_targets() { # module:class
  (cd java-api && find ./*/src/test/java -name '*FuzzTest.java' | sort |
    sed 's|^\./||; s|/src/test/java/|:|; s|\.java$||; s|/|.|g')
}

fuzz_native() { # fuzz_native <reader>
  mkdir -p "$target/corpus/$1"
  # shellcheck disable=SC2046
  (cd "$target" && ASAN_OPTIONS=malloc_context_size=0 "tests/fuzz/$1_fuzz" "$limit" -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 \
    "corpus/$1" $(ls -d "$root/native/tests/fuzz/seeds/$1" 2> /dev/null))
}

fuzz_java() { # fuzz_java <module:class>
  local module=$root/java-api/${1%%:*} class=${1#*:} seeds
  seeds=$module/src/test/resources/$(tr . / <<< "$class")Inputs
  mkdir -p "$target/corpus/$class"
  # shellcheck disable=SC2046
  (cd "$target" && java -Xmx512m -cp "$module/target/test-classes:$module/target/classes:$(cat "$module/target/test.classpath")" \
    com.code_intelligence.jazzer.Jazzer --target_class="$class" "$limit" -timeout=20 -print_final_stats=1 \
    "corpus/$class" $(ls -d "$seeds"/* 2> /dev/null))
}

# JSON of one log: the last status line of the fuzzer and its final statistics.
summary() { # summary <name> <log>
  awk -v name="$1" '
    /^#[0-9]+\t/ {
      for (i = 1; i < NF; ++i) {
        if ($i == "cov:") coverage = $(i + 1)
        if ($i == "ft:") features = $(i + 1)
        if ($i == "corp:") { split($(i + 1), part, "/"); corpus = part[1]; bytes = part[2] }
      }
    }
    /^stat::number_of_executed_units:/ { executions = $2 }
    /^stat::average_exec_per_sec:/ { rate = $2 }
    /^stat::peak_rss_mb:/ { memory = $2 }
    END {
      printf "{\"target\":\"%s\",\"executions\":%d,\"executions_per_second\":%d,\"coverage\":%d,\"features\":%d," \
        "\"corpus_inputs\":%d,\"corpus_bytes\":\"%s\",\"peak_rss_mb\":%d}\n",
        name, executions, rate, coverage, features, corpus, bytes, memory
    }' "$2"
}

"build_$side" || exit
mapfile -t targets < <("${side}_targets")
[ "${#targets[@]}" -gt 0 ] || {
  echo "error: no fuzz target was built"
  exit 1
}
failed=0
running=0
for name in "${targets[@]}"; do
  log=$logs/${name##*[:.]}.log
  ("fuzz_$side" "$name" > "$log" 2>&1 || {
    echo "error: $name failed"
    tail -n 60 "$log"
    exit 1
  }) &
  running=$((running + 1))
  [ "$running" -lt "$jobs" ] || {
    wait -n || failed=1
    running=$((running - 1))
  }
done
while [ "$running" -gt 0 ]; do
  wait -n || failed=1
  running=$((running - 1))
done
lines=""
for name in "${targets[@]}"; do
  line=$(summary "${name##*[:.]}" "$logs/${name##*[:.]}.log")
  echo "$line"
  lines+=$line$'\n'
done
if [ -n "$report" ]; then
  {
    [ ! -f "$report" ] || grep '^ *{"target"' "$report" | sed 's/^ *//; s/,$//' |
      grep -vF "$(sed 's/,"executions.*//' <<< "${lines%$'\n'}")"
    printf '%s' "$lines"
  } | sort > "$report.new"
  { echo '['; sed '$!s/$/,/; s/^/  /' "$report.new"; echo ']'; } > "$report"
  rm "$report.new"
fi
exit "$failed"
