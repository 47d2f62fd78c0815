#!/usr/bin/env python3
"""What each pass is worth: kernels timed with everything on, and with each pass that may be left out left out, one at a time.

    python3 tests/gpu/ablation.py ROOT [--only PATTERNS] [--passes NAMES] [--rounds 3] [--out FILE] [--markdown FILE]
    python3 tests/gpu/ablation.py ROOT --list

ROOT as for compare.py, cases are its cases. All variants of a case have the constants that the whole pipeline was given, so that
only the pass is missing. A variant whose code is the same is not timed; one that does not compile, or writes something wrong,
is said so, and so is one whose products no longer run beside the warps. Everything that is timed is checked first. In each round all
variants are timed once, in an order drawn anew; a cost is the median over the rounds of the time over that of everything on in
the same round, less one.

--list needs no GPU: it compiles, and says which passes matter to which case.
"""
import argparse, fnmatch, json, os, random, sys, tempfile
from concurrent.futures import ThreadPoolExecutor

from cases import all_cases
from compare import check, machine, rate, source, written
from serving import BURST_US, Tkc, TkcFailed, copies_for, median

CASES = ["gemm 4096^3", "gemm 8192x8192x1024", "gemm_e4m3 8192^3", "attention D128 4x4096 full", "attention D128 4x4096 causal",
         "attention D64 4x4096 full", "attention D64 4x4096 causal", "attention_backward D128 4x4096 full"]
WHOLE = ""  # the name of nothing left out


class Variant:
    """A case without one pass: which process has it, and what became of it."""

    def __init__(self, case, disabled, tkc):
        self.case, self.disabled, self.tkc, self.name = case, disabled, tkc, f"{case.name} {disabled}"
        self.outputs, self.errors, self.tolerance = case.outputs, case.errors, case.tolerance
        self.found, self.ratios, self.micros = None, [], []

    def request(self, do, values, **more):
        disable = [self.disabled] if self.disabled else []
        return self.tkc.ask(do=do, name=self.name, file=source(self.root, self.case), kernel=self.case.kernel[1], values=values,
                            disable=disable, **more)


def passes(root):
    """The names in the pipeline's table."""
    import subprocess
    launcher = os.path.join(root, "bin", "tkc")
    launcher = launcher if os.path.exists(launcher) else os.path.join(root, "tkc")
    text = subprocess.run([launcher, "opt", "--list-passes"], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in text.splitlines() if line.strip()]


def compile_all(variants, pool):
    """Code of every variant, as many at a time as there are processes; tile sizes and the like are those of the whole."""
    whole = variants[0]
    values = whole.case.values
    whole.code = whole.request("code", values)
    for key, value in whole.code["constants"].items():
        values = {**values, key: value}

    def one(v):
        try:
            v.code = v.request("code", values)
            if v.code["code"] == whole.code["code"]:
                v.found = "no effect"
            elif v.code["synchronous"] > whole.code["synchronous"]:
                v.found = "synchronous"
        except TkcFailed as e:
            first = str(e).splitlines()[0]
            v.found = "required" if "cannot be left out" in first else "fails: " + first
    by_process = {}
    for v in variants[1:]:
        by_process.setdefault(id(v.tkc), []).append(v)
    list(pool.map(lambda vs: [one(v) for v in vs], by_process.values()))
    return values


def timed(v):
    return v.found in (None, "synchronous")


def measure(case, variants, values, options, folder, l2_bytes, shuffled):
    """Prepares, checks and times all variants that are worth it."""
    import torch
    inputs = case.make()
    given = written(inputs, folder)
    for v in [v for v in variants if timed(v)]:
        try:
            v.prepared = v.request("prepare", values, inputs=given, copies=copies_for(case.bytes, l2_bytes))
            _, wrong = check(v.tkc, v, inputs, folder)
            if wrong:
                v.found = "wrong: " + wrong
        except TkcFailed as e:
            v.found = "fails: " + str(e).splitlines()[0]
    protocol = "back-to-back" if case.flops / 8e8 + case.bytes / 4e6 >= BURST_US else "graph"
    for _ in range(options.rounds):
        times = {}
        running = [v for v in variants if timed(v)]
        for v in shuffled.sample(running, len(running)):
            try:
                times[v] = v.tkc.ask(do="time", name=v.name, protocol=protocol)["median_us"]
            except TkcFailed as e:
                v.found = "fails: " + str(e).splitlines()[0]
        for v, us in times.items():
            v.micros.append(us)
            if variants[0] in times:
                v.ratios.append(us / times[variants[0]])
    for v in variants:
        try:
            v.tkc.ask(do="release", name=v.name)
        except TkcFailed:
            pass
    del inputs
    torch.cuda.empty_cache()


def cell(v):
    """What is written of a variant."""
    if v.found and v.found != "synchronous":
        return v.found.split(":")[0]
    if not v.ratios:
        return v.found or "changes"
    cost = f"{median(v.ratios) - 1:+.1%} (±{(max(v.ratios) - min(v.ratios)) / 2:.1%})"
    return cost + (", synchronous" if v.found else "")


def table(results):
    """Markdown: a row for each pass that matters anywhere, a column for each case."""
    names = [v.disabled for v in results[0][1][1:]]
    kept = [n for n in names if any(cell(v) not in ("no effect", "required") for _, vs in results for v in vs if v.disabled == n)]
    lines = ["| without | " + " | ".join(c.name for c, _ in results) + " |", "|---|" + "---|" * len(results)]
    whole = [f"{median(vs[0].micros):.1f} µs, {rate(c, median(vs[0].micros)):.0f}" if vs[0].micros else cell(vs[0])
             for c, vs in results]
    lines.append("| (everything on) | " + " | ".join(whole) + " |")
    for n in kept:
        cells = [cell(next(v for v in vs if v.disabled == n)) for _, vs in results]
        lines.append(f"| `{n}` | " + " | ".join("" if c == "no effect" else c for c in cells) + " |")
    idle = [n for n in names if n not in kept]
    text = "\n".join(lines) + "\n"
    reasons = {}
    for c, vs in results:
        for v in vs:
            if v.found and ":" in v.found:
                reasons.setdefault((v.disabled, v.found), []).append(c.name)
    for (disabled, found), cases in reasons.items():
        text += f"\nWithout `{disabled}`, {', '.join(cases)} {found}."
    return text + ("\n\nNo effect on any of these, or required: " + ", ".join(f"`{n}`" for n in idle) + ".\n" if idle else "\n")


def results_json(results):
    return [dict(case=c.name, variants=[dict(without=v.disabled, found=v.found, micros=v.micros, ratios=v.ratios,
                                             code=getattr(v, "code", None), functions=getattr(v, "prepared", {}).get("functions"))
                                        for v in vs]) for c, vs in results]


def chosen(only):
    wanted = [o.strip() for o in only.split(",") if o.strip()] or CASES
    found = [c for c in all_cases() if any(c.group == w or fnmatch.fnmatchcase(c.name, w) for w in wanted)]
    return list({c.name: c for c in found}.values())


def run(options, servers, shuffled, torch):
    Variant.root = options.root
    names = [WHOLE] + [p for p in passes(options.root) if not options.passes or p in options.passes.split(",")]
    results = []
    shared = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=shared) as folder, ThreadPoolExecutor(len(servers)) as pool:
        for case in chosen(options.only):
            variants = [Variant(case, n, servers[i % len(servers)]) for i, n in enumerate(names)]
            try:
                values = compile_all(variants, pool)
                if torch:
                    l2 = torch.cuda.get_device_properties(0).L2_cache_size
                    measure(case, variants, values, options, folder, l2, shuffled)
            except TkcFailed as e:
                print(f"{case.name}: {str(e).splitlines()[0]}")
                continue
            results.append((case, variants))
            print(f"{case.name}: " + "; ".join(f"{v.disabled or 'whole'} {cell(v)}" for v in variants
                                               if v.found not in ("no effect", "required")), flush=True)
            for v in variants:
                if v.found and ":" in v.found:
                    print(f"  {v.disabled}: {v.found}")
            if options.out:
                with open(options.out, "w") as f:
                    json.dump(results_json(results), f, indent=1)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root")
    parser.add_argument("--only", default="", help="groups, or patterns of names (`gemm*`), joined by commas")
    parser.add_argument("--passes", default="", help="the passes to leave out, joined by commas; else all that can be")
    parser.add_argument("--list", action="store_true", help="compile only: which passes matter to which case")
    parser.add_argument("--target", default="sm_90a", help="what --list compiles for")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=6, help="how many compile side by side")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--out", help="a file for the results, JSON")
    parser.add_argument("--markdown", help="a file for the table")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 30)
    torch = None
    if not options.list:
        import torch
        torch.manual_seed(seed)
        torch.set_float32_matmul_precision("highest")
    servers = [Tkc(options.root, f"passes:{options.target}" if options.list else "cuda") for _ in range(max(1, options.processes))]
    try:
        if torch:
            print(json.dumps(machine(torch, servers[0].start())), f"seed {seed}", flush=True)
        results = run(options, servers, random.Random(seed), torch)
    finally:
        for s in servers:
            s.stop()
    if not results:
        return 1
    text = table(results)
    print("\n" + text)
    if options.markdown:
        with open(options.markdown, "w") as f:
            f.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
