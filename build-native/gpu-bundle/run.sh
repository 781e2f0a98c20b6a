#!/bin/sh
# Runs LONGER on this host's NVIDIA GPU; needs a driver and nothing else.
# Usage: run.sh <verb> [argument…]
#   doctor                     what this host can run
#   native-tests [option…]     the native suites on the GPU; options of GoogleTest, such as --gtest_filter=Attention*
#   java-tests [class…]        JUnit tests whose class names match the patterns (default: ai.longer.device.*)
#   quickstart [option…]       trains on MovieLens with --device cuda and ranks; results in ./quickstart-out
#   cli <command> [option…]    the command line; cli --help lists the commands
#   bench [program [option…]]  a native bench; without a program, lists them
# native-tests and java-tests fail without a GPU; LONGER_REQUIRE_DEVICE= (empty) lets java-tests skip what needs one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${LONGER_CACHE:-${TMPDIR:-/tmp}/longer-gpu-$(id -u)}

# The host's own C++ library where it has one; this one is from the machine that made the archive.
if ! { ldconfig -p 2> /dev/null || /sbin/ldconfig -p 2> /dev/null; } | grep -q 'libstdc++\.so\.6'; then
  export LD_LIBRARY_PATH="$here/bin${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi

run_java() {
  exec "$here/runtime/bin/java" -Dorg.bytedeco.javacpp.cachedir="$cache" ${LONGER_JAVA_OPTS:-} "$@"
}

verb=${1:-}
[ $# = 0 ] || shift
case $verb in
  doctor) run_java -cp "$here/lib/*" ai.longer.Doctor ;;
  native-tests)
    status=0
    "$here/bin/cuda_test" "$@" || status=$?
    [ $# -gt 0 ] || "$here/bin/cuda_fault_test" || status=$?
    exit "$status"
    ;;
  java-tests)
    LONGER_REQUIRE_DEVICE=${LONGER_REQUIRE_DEVICE-cuda}
    export LONGER_REQUIRE_DEVICE
    [ $# -gt 0 ] || set -- 'ai.longer.device.*'
    for pattern in "$@"; do
      set -- "$@" --include-classname "(.*\.)?$(echo "$pattern" | sed 's/\./\\./g; s/\*/.*/g')"
      shift
    done
    run_java -Xcheck:jni -Xmx2g -cp "$here/lib/*:$here/tests/*" org.junit.platform.console.ConsoleLauncher execute \
      --scan-class-path "$here/tests/longer-tests.jar" --details tree --disable-banner --disable-ansi-colors --fail-if-no-tests "$@"
    ;;
  quickstart)
    run_java -Xmx2g -cp "$here/lib/*" ai.longer.samples.quickstart.Quickstart --data "$here/data/ml-latest-small" \
      --out quickstart-out --device cuda "$@"
    ;;
  cli) run_java -cp "$here/lib/*" ai.longer.samples.cli.Cli "$@" ;;
  bench)
    if [ $# = 0 ]; then
      ls "$here/bin" | grep -vE '\.so|^cuda.*_test$'
      exit
    fi
    program=$1
    shift
    exec "$here/bin/$program" "$@"
    ;;
  *)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0" >&2
    exit 64
    ;;
esac
