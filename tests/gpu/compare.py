#!/usr/bin/env python3
"""Times tkc's kernels beside torch's on a GPU machine, in one run, in random order, and prints the ratios.

    python3 tests/gpu/compare.py DISTRIBUTION [--out results.json] [--only softmax,gemm] [--rounds 2]

DISTRIBUTION is an unpacked tkc archive (the folder with bin/tkc). Before anything is timed, each case's
result is computed by `tkc run` from inputs that torch made, at the timed sizes, and compared with torch in f32.

Protocol, the same for both sides (docs/performance/README.md): random normal data; buffers rotated so that together they
exceed twice the L2; two warm-ups; work of 0.2 ms and more in bursts of at most 20 ms after 0.2 s of idling, median of
five bursts; shorter work back to back over the rotated buffers. Every figure is the time of one call.
"""
import argparse, json, os, random, statistics, subprocess, sys, tempfile, time

import torch
from safetensors.torch import load_file, save_file

L2_BYTES = 60 << 20


def rotated(make, bytes_per_set):
    count = max(2, min(64, (2 * L2_BYTES) // max(1, bytes_per_set) + 1))
    return [make(i) for i in range(count)]


def time_calls(call, sets):
    """Median microseconds of one call, by the protocol."""
    for i in range(2):
        call(sets[i % len(sets)])
    torch.cuda.synchronize()
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record(); call(sets[0]); end.record(); torch.cuda.synchronize()
    once = max(begin.elapsed_time(end), 1e-3)
    calls = max(3, min(1000, int(20 / once)))
    bursts = []
    for _ in range(5):
        time.sleep(0.2 if once >= 0.2 else 0.02)
        begin.record()
        for i in range(calls):
            call(sets[i % len(sets)])
        end.record()
        torch.cuda.synchronize()
        bursts.append(begin.elapsed_time(end) * 1000 / calls)
    return statistics.median(bursts)


def rand(*shape, dtype=torch.bfloat16):
    return torch.randn(*shape, device="cuda", dtype=torch.float32).to(dtype)


def compiled(f):
    return torch.compile(f, dynamic=False)


def cases():
    """name, tkc arguments, bytes moved or flops, what tkc's parameters are called, and the peers: name → (inputs, call)."""
    f = torch.nn.functional
    out = []
    extra = {}

    def memory(name, args, traffic, make, call, inputs, output, peers=("eager", "compile")):
        p = {}
        if "eager" in peers:
            p["eager"] = (make, lambda s: call(*s))
        if "compile" in peers:
            c = compiled(call)
            p["compile"] = (make, lambda s: c(*s))
        def reference():
            x = make(0)
            given = {n: v for n, v in zip(inputs, list(x) + extra.get(name, []))}
            return given, call(*[t.float() for t in x]), output
        out.append(dict(name=name, args=args, bytes=traffic, flops=0, peers=p, reference=reference))

    m, n = 8192, 8192
    memory("softmax 8192x8192", ["softmax.tk", "--kernel", "softmax", "-D", f"M={m}", "-D", f"D={n}"], 4 * m * n,
           lambda i, m=m, n=n: (rand(m, n),), lambda x, n=n: torch.softmax(x, -1), ["x"], "y")
    m, n = 16384, 4096
    w, b = rand(n), rand(n)
    extra["layernorm 16384x4096"] = [w, b, 1e-5]
    extra["rmsnorm 16384x4096"] = [w, 1e-6]
    memory("layernorm 16384x4096", ["norm.tk", "--kernel", "layernorm_forward", "-D", f"M={m}", "-D", f"D={n}"], 4 * m * n,
           lambda i, m=m, n=n: (rand(m, n),), lambda x, n=n: f.layer_norm(x, (n,), w.to(x.dtype), b.to(x.dtype)), ["x", "w", "b", "eps"], "y")
    memory("rmsnorm 16384x4096", ["norm.tk", "--kernel", "rmsnorm_forward", "-D", f"M={m}", "-D", f"D={n}"], 4 * m * n,
           lambda i, m=m, n=n: (rand(m, n),), lambda x, n=n: f.rms_norm(x, (n,), w.to(x.dtype), 1e-6), ["x", "w", "eps"], "y")
    size = 8192 * 14336
    memory("gelu 8192x14336", ["elementwise.tk", "--kernel", "gelu_forward", "-D", f"N={size}"], 4 * size,
           lambda i, size=size: (rand(size),), lambda x: f.gelu(x, approximate="tanh"), ["x"], "y")
    for n in (4096, 8192):
        def make(i, n=n):
            return rand(n, n), rand(n, n)

        def reference(make=make):
            a, b = make(0)
            return {"a": a, "b": b}, a.float() @ b.float(), "c"
        out.append(dict(name=f"gemm {n}^3", args=["gemm.tk", "--kernel", "gemm", "-D", f"M={n}", "-D", f"N={n}", "-D", f"K={n}"],
                        bytes=6 * n * n, flops=2 * n ** 3, peers={"cublas": (make, lambda s: s[0] @ s[1])}, reference=reference))
    return out


def tkc(root, args):
    cmd = [os.path.join(root, "bin", "tkc"), "bench", os.path.join(root, "kernels", args[0]), *args[1:], "--device", "cuda", "--json", "--no-check"]
    run = subprocess.run(cmd, capture_output=True, text=True)
    if run.returncode != 0:
        return None, (run.stdout + run.stderr)[-1500:]
    return json.loads(run.stdout.strip().splitlines()[-1]), ""


def check(root, case, folder):
    """Runs the case once on torch's inputs and returns the largest error relative to the result's own scale."""
    inputs, expected, output = case["reference"]()
    tensors = {n: v.contiguous() for n, v in inputs.items() if torch.is_tensor(v)}
    path = os.path.join(folder, "in.safetensors")
    save_file({n: v.cpu() for n, v in tensors.items()}, path)
    args = case["args"]
    cmd = [os.path.join(root, "bin", "tkc"), "run", os.path.join(root, "kernels", args[0]), *args[1:3], "--device", "cuda",
           "--no-reference", "--out", f"{output}={folder}/out.safetensors:{output}"]
    for n, v in inputs.items():
        cmd += ["--in", f"{n}={path}:{n}" if torch.is_tensor(v) else f"{n}={v}"]
    run = subprocess.run(cmd, capture_output=True, text=True)
    if run.returncode != 0:
        return None, (run.stdout + run.stderr)[-1500:]
    got = load_file(f"{folder}/out.safetensors")[output].cuda().float()
    if got.shape != expected.shape or not torch.isfinite(got).all():
        return None, f"shape {tuple(got.shape)} or values that are not finite"
    scale = torch.maximum(expected.abs(), expected.pow(2).mean().sqrt())
    return ((got - expected).abs() / scale).max().item(), ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root")
    parser.add_argument("--out")
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=2)
    a = parser.parse_args()
    torch.manual_seed(0)
    chosen = [c for c in cases() if not a.only or any(o in c["name"] for o in a.only.split(","))]
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for c in chosen:
            error, message = check(a.root, c, folder)
            holds = error is not None and error <= 1e-2
            bad += not holds
            print(f"check {c['name']}: " + (f"largest error {error:.1e}" if error is not None else message)
                  + ("" if holds else "  WRONG"))
    torch.set_float32_matmul_precision("highest")
    jobs = []
    for c in chosen:
        for r in range(a.rounds):
            jobs.append((c, "tkc"))
            jobs.extend((c, p) for p in c["peers"])
    random.Random(1).shuffle(jobs)
    times = {c["name"]: {} for c in chosen}
    # The ceiling: a device-to-device copy, bytes read and written.
    x = [torch.empty(1 << 29, dtype=torch.uint8, device="cuda") for _ in range(2)]
    copy_us = time_calls(lambda s: x[1].copy_(x[0]), [0])
    ceiling = 2 * (1 << 29) / copy_us / 1e3
    del x
    print(f"copy bandwidth {ceiling:.0f} GB/s; {torch.cuda.get_device_name()}, torch {torch.__version__}")
    for c, who in jobs:
        if who == "tkc":
            torch.cuda.empty_cache()
            result, error = tkc(a.root, c["args"])
            if result is None:
                print(f"{c['name']}: tkc failed: {error}")
                continue
            us = result["median_us"]
        else:
            make, call = c["peers"][who]
            sets = rotated(make, c["bytes"])
            us = time_calls(call, sets)
            del sets
        times[c["name"]].setdefault(who, []).append(us)
    rows = []
    print(f"{'case':24} {'tkc us':>10} {'rate':>12} {'of ceiling':>10}  ratio to peers (above 1: tkc is faster)")
    for c in chosen:
        t = {who: statistics.median(v) for who, v in times[c["name"]].items()}
        if "tkc" not in t:
            continue
        rate = c["flops"] / t["tkc"] / 1e6 if c["flops"] else c["bytes"] / t["tkc"] / 1e3
        unit = "TFLOP/s" if c["flops"] else "GB/s"
        share = "" if c["flops"] else f"{rate / ceiling:.2f}"
        ratios = {who: v / t["tkc"] for who, v in t.items() if who != "tkc"}
        print(f"{c['name']:24} {t['tkc']:10.1f} {rate:7.0f} {unit:4} {share:>8}  " +
              "  ".join(f"{w} {r:.3f}" for w, r in sorted(ratios.items())))
        rows.append(dict(case=c["name"], times_us=times[c["name"]], rate=rate, unit=unit, ratios=ratios, ceiling_gbps=ceiling))
    if a.out:
        with open(a.out, "w") as f:
            json.dump(rows, f, indent=1)
    return 0 if len(rows) == len(chosen) and not bad else 1


if __name__ == "__main__":
    sys.exit(main())
