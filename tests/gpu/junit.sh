#!/usr/bin/env bash
# The JUnit tests that need a GPU (tag gpu), on a machine that has a GPU and tkc's distribution, but neither Maven nor a JDK.
#
#   tests/gpu/junit.sh pack [FOLDER]        where tkc is built: copies test classes and a test runner to FOLDER (dist-carry/junit)
#   tests/gpu/junit.sh run TKC [FOLDER]     where the GPU is: TKC is the unpacked distribution; exit status 1 if a test fails
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
modules="backend-ptx compiler tests"

version() {
  grep -oPm1 "(?<=<$1.version>)[^<]+" "$root/pom.xml"
}

pack() {
  local to="${1:-$root/dist-carry/junit}"
  rm -rf "$to" && mkdir -p "$to"
  # The platform's versions are Jupiter's, one major lower.
  local platform="1.$(version junit | cut -d. -f2-)"
  (cd "$root" && for artifact in "org.junit.platform:junit-platform-console-standalone:$platform" \
      "org.assertj:assertj-core:$(version assertj)"; do
    mvn -q -B -N dependency:copy -Dartifact="$artifact" -DoutputDirectory="$to" -Dmdep.stripVersion=true
  done)
  for module in $modules; do
    [ -d "$root/$module/target/test-classes" ] || { echo "build first: mvn test-compile" >&2; exit 1; }
    cp -r "$root/$module/target/test-classes" "$to/$module"
    # What tests on the host read is not needed here.
    find "$to/$module" -type f ! -name '*.class' -delete
  done
  du -sh "$to"
}

run() {
  local tkc="$1" tests="${2:-$root/dist-carry/junit}" path
  path="$(printf '%s:' "$tkc"/lib/*.jar "$tests"/*.jar)"
  for module in $modules; do
    path="$path$tests/$module:"
  done
  export LD_LIBRARY_PATH="$tkc/native${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  exec "$tkc/runtime/bin/java" --enable-native-access=ALL-UNNAMED -ea -Djava.library.path="$tkc/native" \
    -Dorg.bytedeco.javacpp.pathsFirst=true -cp "$path" org.junit.platform.console.ConsoleLauncher execute \
    --disable-banner --disable-ansi-colors --details=tree --include-tag=gpu --fail-if-no-tests \
    --select-class dev.tkc.backend.ptx.CudaRuntimeTest --select-class dev.tkc.PreparedLaunchTest \
    --select-class dev.tkc.tests.staged.StagedGemmOnDeviceTest
}

case "${1:-}" in
  pack) shift; pack "$@" ;;
  run) shift; [ $# -ge 1 ] || { echo "run needs the folder of the distribution" >&2; exit 2; }; run "$@" ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
