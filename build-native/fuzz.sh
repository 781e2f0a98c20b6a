#!/bin/bash
# Fuzzes every reader: native ones with libFuzzer (native/tests/fuzz), Java ones with Jazzer (*FuzzTest). Builds first; as
# many run at a time as there are processors. A corpus that a run found stays for the next one.
# Usage: fuzz.sh native|java seconds|runs <seconds or executions per target> [report.json]
# The report adds up: executions are the sum over all runs that wrote into it, rate, coverage, corpus and memory those of
# the newest; targets that did not run or failed keep theirs. "runs" goes on to that sum, so that it can be reached in portions.
# Exit code 77: no libFuzzer here. LONGER_JOBS: compilers and targets at a time (default: the processors).
# LONGER_FUZZ_TARGETS: only these, by name. LONGER_FUZZ_WORKERS: processes per target, which share its corpus (default 1).
# LONGER_FUZZ_PREBUILT=1 builds nothing: for a machine without compilers that got this folder with its target folders.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
root=$PWD
side=${1:-}
mode=${2:-}
amount=${3:-}
case $side:$mode in
  native:seconds | java:seconds | native:runs | java:runs) ;;
  *)
    echo "usage: build-native/fuzz.sh native|java seconds|runs <number> [report.json]" >&2
    exit 64
    ;;
esac
report=${4:-}
jobs=${LONGER_JOBS:-$(nproc)}
workers=${LONGER_FUZZ_WORKERS:-1}
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
  rm -rf java-api/{longer,parquet}/target/fuzz-lib # jars of an earlier build
  mvn -B -ntp -q -Dlonger.cmake.tests=ON -pl java-api/longer,java-api/parquet -am -DskipTests package \
    dependency:copy-dependencies -DincludeScope=test -DoutputDirectory=target/fuzz-lib
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

# Of both fuzzers: their scheduling by entropy takes up to half of the time here and finds no more.
common=(-entropic=0 -rss_limit_mb=2048 -print_final_stats=1 "-artifact_prefix=$logs/")

# Of Jazzer: ours, and what decodes the pages of a file, which guides too. More would take a minute to start.
guides=ai.longer.**
for package in bytes column hadoop io; do guides+=:org.apache.parquet.$package.**; done

fuzz_native() { # fuzz_native <reader> <limit>
  mkdir -p "$target/corpus/$1"
  # shellcheck disable=SC2046
  (cd "$target" && ASAN_OPTIONS=malloc_context_size=0:quarantine_size_mb=8:allocator_release_to_os_interval_ms=-1 \
    "tests/fuzz/$1_fuzz" "$2" -timeout=20 "${common[@]}" \
    "corpus/$1" $(ls -d "$root/native/tests/fuzz/seeds/$1" 2> /dev/null))
}

fuzz_java() { # fuzz_java <module:class> <limit>
  local module=$root/java-api/${1%%:*} class=${1#*:} seeds
  seeds=$module/src/test/resources/$(tr . / <<< "$class")Inputs
  mkdir -p "$target/corpus/$class"
  # The first input waits until all classes are loaded.
  # shellcheck disable=SC2046
  (cd "$target" && java -Xmx512m -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=off \
    -cp "$module/target/test-classes:$module/target/classes:$module/target/fuzz-lib/*" \
    com.code_intelligence.jazzer.Jazzer --target_class="$class" \
    --instrumentation_includes="$guides" \
    "$2" -timeout=60 "${common[@]}" "corpus/$class" $(ls -d "$seeds"/* 2> /dev/null))
}

short() { echo "${1##*[:.]}"; }

done_before() { # executions of a target that the report knows
  [ -f "$report" ] || { echo 0; return; }
  sed -n "s/.*\"target\":\"$(short "$1")\",\"executions\":\([0-9]*\).*/\1/p" "$report" | grep . || echo 0
}

# The limit of each of a target's processes; nothing if it has all of its runs.
limit() { # limit <name>
  local left
  if [ "$mode" = seconds ]; then
    echo "-max_total_time=$amount"
  else
    left=$((amount - $(done_before "$1")))
    [ "$left" -le 0 ] || echo "-runs=$(((left + workers - 1) / workers))"
  fi
}

# JSON of a target's logs: the last status lines of its processes and their final statistics.
summary() { # summary <name> <executions before> <log…>
  local name=$1 before=$2
  shift 2
  awk -v name="$name" -v executions="$before" '
    function most(a, b) { return a > b ? a : b }
    /^#[0-9]+\t/ {
      for (i = 1; i < NF; ++i) {
        if ($i == "cov:") coverage = most(coverage, $(i + 1) + 0)
        if ($i == "ft:") features = most(features, $(i + 1) + 0)
        if ($i == "corp:") { split($(i + 1), part, "/"); corpus = part[1]; bytes = part[2] }
      }
    }
    /^stat::number_of_executed_units:/ { executions += $2 }
    /^stat::average_exec_per_sec:/ { rate += $2 }
    /^stat::peak_rss_mb:/ { memory = most(memory, $2 + 0) }
    END {
      printf "{\"target\":\"%s\",\"executions\":%d,\"executions_per_second\":%d,\"coverage\":%d,\"features\":%d," \
        "\"corpus_inputs\":%d,\"corpus_bytes\":\"%s\",\"peak_rss_mb\":%d}\n",
        name, executions, rate, coverage, features, corpus, bytes, memory
    }' "$@"
}

write_report() { # write_report <line>: puts it in place of its target's
  {
    [ ! -f "$report" ] || grep '^ *{"target"' "$report" | sed 's/^ *//; s/,$//' | grep -vF "${1%%,*},"
    echo "$1"
  } | sort > "$report.new"
  { echo '['; sed '$!s/$/,/; s/^/  /' "$report.new"; echo ']'; } > "$report.json.new"
  rm "$report.new"
  mv "$report.json.new" "$report"
}

# On a terminal: the newest status line of a target, until its process ends.
show_progress() { # show_progress <name> <log>
  [ -t 1 ] || return
  while sleep 2; do
    printf '%s: %s\n' "$(short "$1")" \
      "$(grep -a '^#' "$2" | tail -n 1 | sed -E 's/\t[A-Z]+ */ executions, /; s/ (lim|L):.*//')"
  done
}

fuzz() { # fuzz <name>: all processes of a target
  local name=$1 each worker pids=() files=() progress failed=0 line
  each=$(limit "$name")
  [ -n "$each" ] || { echo "$(short "$name"): has its $amount executions"; return; }
  for ((worker = 1; worker <= workers; ++worker)); do
    files+=("$logs/$(short "$name")-$worker.log")
    "fuzz_$side" "$name" "$each" > "${files[-1]}" 2>&1 &
    pids+=($!)
  done
  show_progress "$name" "${files[0]}" &
  progress=$!
  for worker in "${!pids[@]}"; do
    wait "${pids[worker]}" || {
      failed=1
      echo "error: $(short "$name") failed"
      tail -n 60 "${files[worker]}"
    }
  done
  kill "$progress" 2> /dev/null
  line=$(summary "$(short "$name")" "$(done_before "$name")" "${files[@]}")
  echo "$line"
  [ -z "$report" ] || [ "$failed" = 1 ] || (flock 9 && write_report "$line") 9> "$target/report.lock"
  return "$failed"
}

[ -n "${LONGER_FUZZ_PREBUILT:-}" ] || "build_$side" || exit
mapfile -t targets < <("${side}_targets" | grep -E ":?(${LONGER_FUZZ_TARGETS:-.*})\$")
[ "${#targets[@]}" -gt 0 ] || {
  echo "error: no fuzz target was built"
  exit 1
}
failed=0
running=0
for name in "${targets[@]}"; do
  fuzz "$name" &
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
exit "$failed"
