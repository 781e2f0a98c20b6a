#!/bin/bash
# Tests everything that this machine can test. What fails fastest comes first.
# Usage: test.sh [quick|full|long]
#   quick (default)  checks, native tests, Java tests with the oracle, quickstart in small; 15 minutes and 6 GB on 2 cores
#   full             also sanitizers, fuzzing, CUDA compilation, consumer test; what CI runs; 45 minutes
#   long             100 killed trainings, 20 minutes of churn, three quickstart seeds and the benchmarks with their gates; writes JSON under build-native/target/long
# Writes test-summary.json: every test with its result and seconds, every skip with its reason. Logs of the steps lie
# under build-native/target/test. LONGER_JOBS: parallel compilers (default: the processors). LONGER_REQUIRE_NVCC=1: a
# missing nvcc is a failure.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
root=$PWD
mode=${1:-quick}
case $mode in quick | full | long) ;; *)
  echo "usage: build-native/test.sh [quick|full|long]" >&2
  exit 64
  ;;
esac
build-native/prerequisites.sh test || exit 2

jobs=${LONGER_JOBS:-$(nproc)}
target=$root/build-native/target
core=$target/linux-x86_64
logs=$target/test
steps=$logs/steps.tsv
rm -rf "$logs"
mkdir -p "$logs"
: > "$steps"

record() { # record <name> <result> <seconds> <reason> <reports>
  printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$(tr '\t\n' '  ' <<< "$4")" "$5" >> "$steps"
}

# step <name> <where its JUnit XML will lie, or ""> <command…>: exit code 77 means skipped, the last line says why.
step() {
  local name=$1 reports=$2 log start status=0 result reason="" seconds
  shift 2
  log=$logs/$(printf '%02d' "$(($(wc -l < "$steps") + 1))")-${name// /-}.log
  printf '%-28s' "$name"
  start=$EPOCHREALTIME
  "$@" > "$log" 2>&1 < /dev/null || status=$?
  seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.1f", b - a}')
  case $status in
    0) result=passed ;;
    77) result=skipped reason=$(tail -n 1 "$log") reports="" ;;
    *) result=failed reason="exit code $status, see ${log#"$root"/}: $(sed 's/\x1b\[[0-9;]*m//g' "$log" | grep -m 1 -iE 'error|fail' | cut -c1-200)" ;;
  esac
  record "$name" "$result" "$seconds" "$reason" "$reports"
  printf '%-8s %7.1f s\n' "$result" "$seconds"
  [ "$result" != failed ] || tail -n 25 "$log" | sed 's/^/    | /'
  [ "$status" = 0 ]
}

maven() {
  mvn -B -ntp -Dlonger.cmake.tests=ON "$@"
}

# ctest of one build folder; the report has every test's name, time and, for the failed ones, output.
native_tests() { # native_tests <build folder> <report> [ctest option…]
  local folder=$1 report=$2
  shift 2
  ctest --test-dir "$folder" --output-junit "$report" --output-on-failure --parallel "$jobs" --timeout 600 \
    --no-tests=error "$@"
}

release_build() {
  build-native/build-core.sh native "$core/cmake" "$core/install" -DLONGER_TESTS=ON -DLONGER_BENCHMARKS=OFF &&
    cmake --build "$core/cmake" --parallel "$jobs"
}

sanitized_build() { # sanitized_build <folder> <sanitizers>
  cmake -G Ninja -S native -B "$1" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DLONGER_SANITIZE="$2" -DLONGER_BENCHMARKS=OFF \
    -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" && cmake --build "$1" --parallel "$jobs"
}

java_tests() {
  find . -path '*/target/surefire-reports/*' -delete 2> /dev/null
  maven verify -fae
}

fuzz() { # fuzz <seconds per target>
  local compiler c_compiler program reader failed=0
  compiler=$(command -v clang++-14 || command -v clang++) || {
    echo "clang++ is not here"
    return 77
  }
  c_compiler=${compiler/clang++/clang}
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
    "$compiler" -fsanitize=fuzzer,address,undefined -x c++ - -o "$logs/fuzzer" || {
    echo "$compiler has no libFuzzer (package libclang-rt-dev)"
    return 77
  }
  cmake -G Ninja -S native -B "$target/fuzz" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER="$compiler" \
    -DCMAKE_C_COMPILER="$c_compiler" -DLONGER_FUZZERS=ON -DLONGER_TESTS=OFF -DLONGER_BENCHMARKS=OFF \
    -DLONGER_SANITIZE=fuzzer-no-link,address,undefined \
    -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" || return 1
  cmake --build "$target/fuzz" --parallel "$jobs" || return 1
  for program in "$target"/fuzz/tests/fuzz/*_fuzz; do
    [ -x "$program" ] || {
      echo "error: no fuzz target was built"
      return 1
    }
    reader=$(basename "$program" _fuzz)
    mkdir -p "$target/fuzz/corpus/$reader"
    (cd "$target/fuzz" && "$program" -max_total_time="$1" -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 -verbosity=0 \
      "corpus/$reader" $(ls -d "$root/native/tests/fuzz/seeds/$reader" 2> /dev/null)) || failed=1
  done
  return "$failed"
}

# Jazzer's tests, one after another: a JVM fuzzes one test.
fuzz_java() {
  local failed=0 test
  for test in CsvFuzzTest LongerConfigFuzzTest ParquetFuzzTest; do
    JAZZER_FUZZ=1 maven -q -pl java-api/longer,java-api/parquet -am -Dtest="$test" \
      -Dsurefire.failIfNoSpecifiedTests=false package || failed=1
  done
  return "$failed"
}

cuda() {
  if ! command -v nvcc > /dev/null; then
    echo "CUDA: not compiled (no nvcc)"
    [ "${LONGER_REQUIRE_NVCC:-0}" != 1 ] && return 77
    return 1
  fi
  maven -q -Pcuda -DskipTests -pl build-native package && build-native/checks/artifacts.sh . linux-x86_64-cuda13 62914560
}

quickstart_small() {
  samples/quickstart/run.sh --small
}

checks() {
  step "include graph" "" java build-native/checks/IncludeGraph.java native
  step "text" "" build-native/checks/text.sh .
  step "public headers" "" build-native/checks/headers.sh native
  step "clang-format" "" build-native/checks/clang-format.sh .
}

quick() {
  checks
  step "java format" "" mvn -B -ntp -q -fae spotless:check -pl '!java-api/bom'
  step "native build" "" release_build &&
    step "native tests" "$logs/native.xml" native_tests "$core/cmake" "$logs/native.xml"
  step "java tests" "$root/java-api $root/samples $root/benchmarks $root/build-native" java_tests &&
    step "artifacts" "" build-native/checks/artifacts.sh . linux-x86_64 10485760
  step "quickstart in small" "" quickstart_small
}

full() {
  export LONGER_CHURN_SECONDS=60
  quick
  step "consumer" "$logs/consumer.xml" build-native/consumer-test.sh "$logs/consumer.xml"
  step "CUDA compilation" "" cuda
  export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  step "asan+ubsan build" "" sanitized_build "$target/asan" address,undefined &&
    step "asan+ubsan tests" "$logs/asan.xml" native_tests "$target/asan" "$logs/asan.xml"
  export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
  step "tsan build" "" sanitized_build "$target/tsan" thread &&
    step "tsan tests" "$logs/tsan.xml" native_tests "$target/tsan" "$logs/tsan.xml" -R "$concurrent"
  step "fuzzing" "" fuzz 60
  step "fuzzing Java" "" fuzz_java
}

# Tests that use more than one thread at a time.
concurrent='[Tt]hread|[Cc]oncurren|Ranker|UserKvCache|LiveCount|Batcher|Submi'

killed_trainings() {
  maven -q -pl java-api/longer -am -Dlonger.long=true -Dtest=KilledTrainingTest \
    -Dsurefire.failIfNoSpecifiedTests=false package
}

churn() {
  release_build && LONGER_CHURN_SECONDS=600 "$core/cmake/tests/serving_test" --gtest_filter='*Churn*' &&
    LONGER_CHURN_SECONDS=600 maven -q -pl java-api/longer -am -Dtest=RankerChurnTest \
      -Dsurefire.failIfNoSpecifiedTests=false package
}

long() {
  step "killed trainings" "" killed_trainings
  step "churn" "" churn
  step "quickstart, three seeds" "" samples/quickstart/run.sh --seeds 3
  mkdir -p "$target/long"
  step "benchmarks" "" benchmarks/run.sh "$target/long"
}

"$mode"
java build-native/checks/TestSummary.java "$steps" "$mode" test-summary.json
