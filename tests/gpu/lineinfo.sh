#!/usr/bin/env bash
# Do profilers, sanitizers and disassemblers show .tk lines?
#
#     tests/gpu/lineinfo.sh ROOT [OUT]
#
# ROOT as for compare.py; OUT (a folder) keeps what the tools printed. Each check says ok, or what is missing, or that the tool is not
# there; the exit status is 1 if anything is missing. What is looked for: the line of the product in gemm.tk and in attention.tk,
# which runs in the warps that compute, the line of the loads, which run in the producer, and the line that reads where nothing is.
set -u
root=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
out=${2:-$(mktemp -d)}
mkdir -p "$out"
tkc=$root/bin/tkc
[ -x "$tkc" ] || tkc=$root/tkc
bad=0

say() { printf '%-44s %s\n' "$1" "$2"; }
line_of() { grep -nF -- "$2" "$1" | head -1 | cut -d: -f1; }   # the number of the first line that holds a text

# $1: what is checked, $2: the file of the tool's output, the others: patterns that must all be found
look() {
  local what=$1 file=$2 p
  shift 2
  for p in "$@"; do
    if ! grep -qE -- "$p" "$file"; then
      say "$what" "MISSING: nothing in $file matches $p"
      bad=1
      return
    fi
  done
  say "$what" ok
}

gemm=$root/kernels/gemm.tk
attention=$root/kernels/attention.tk
product=$(line_of "$gemm" 'acc += a[i, k] @ b[k, j]')
scores=$(line_of "$attention" 'qi @ k[b, g, j, :].T')
far=$(line_of "$here/wild.tk" 'let far = x[at]')
sizes_gemm="-D M=512 -D N=512 -D K=512"
sizes_attention="-D B=1 -D H=2 -D G=2 -D N=512 -D S=512 -D D=128"

cubin() {  # file kernel sizes…
  local file=$1 kernel=$2
  shift 2
  "$tkc" compile "$file" --kernel "$kernel" --target sm_90a --lineinfo --emit cubin -o "$out/$kernel.cubin" "$@" > "$out/$kernel.log" 2>&1 \
    || { say "compile $kernel" "FAILED: $(head -1 "$out/$kernel.log")"; bad=1; }
}
# shellcheck disable=SC2086
cubin "$gemm" gemm $sizes_gemm
# shellcheck disable=SC2086
cubin "$attention" attention $sizes_attention

if command -v nvdisasm > /dev/null; then
  for k in gemm attention; do nvdisasm -g "$out/$k.cubin" > "$out/$k.nvdisasm" 2>&1; done
  look "nvdisasm -g: gemm" "$out/gemm.nvdisasm" "gemm.tk\", line $product"
  look "nvdisasm -g: attention" "$out/attention.nvdisasm" "attention.tk\", line $scores"
else
  say nvdisasm "is not here"
fi

if command -v ncu > /dev/null; then
  # shellcheck disable=SC2086
  timeout 100 ncu --section SourceCounters --page source --print-source cuda,sass --csv --kernel-name regex:gemm --launch-count 1 \
    "$tkc" run "$gemm" --kernel gemm --device cuda --lineinfo --no-reference $sizes_gemm > "$out/ncu.csv" 2> "$out/ncu.err"
  if grep -q ERR_NVGPUCTRPERM "$out/ncu.csv" "$out/ncu.err"; then
    say "ncu --page source" "may not read counters here"
  else
    look "ncu --page source" "$out/ncu.csv" "gemm.tk" 'acc \+= a\[i, k\] @ b\[k, j\]|^"?'"$product"'"?,'
  fi
else
  say ncu "is not here"
fi

if command -v compute-sanitizer > /dev/null; then
  timeout 100 compute-sanitizer --tool memcheck "$tkc" run "$here/wild.tk" --device cuda --lineinfo --no-reference -D N=1000 \
    --in at=4000000000 > "$out/sanitizer.txt" 2>&1
  look "compute-sanitizer: out of bounds" "$out/sanitizer.txt" 'Invalid __global__ read' "wild.tk:$far"
  # shellcheck disable=SC2086
  timeout 100 compute-sanitizer --tool memcheck "$tkc" run "$gemm" --kernel gemm --device cuda --lineinfo --no-reference $sizes_gemm \
    > "$out/sanitizer-gemm.txt" 2>&1
  look "compute-sanitizer: gemm is clean" "$out/sanitizer-gemm.txt" 'ERROR SUMMARY: 0 errors'
else
  say compute-sanitizer "is not here"
fi
exit $bad
