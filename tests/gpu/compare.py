#!/usr/bin/env python3
"""Times tkc's kernels beside their peers on a GPU machine, in one run, in turn, and prints the ratios.

    python3 tests/gpu/compare.py ROOT [--only gemm,decode] [--rounds 3] [--sustained] [--out results.json] [--markdown table.md]
    python3 tests/gpu/compare.py --list
    python3 tests/gpu/compare.py ROOT --dry-run

ROOT is an unpacked tkc archive (the folder with bin/tkc) or a working copy. Protocol (docs/performance/README.md), the same
for both sides: the results of tkc at the timed sizes are compared with torch's in f32 on fresh random data before anything is
timed, and the same data are timed; buffers are rotated so that together they exceed twice the L2; work of 0.2 ms and more in
bursts of at most 20 ms after 0.2 s of idling and two warm-ups, median of five; shorter work that computes by bursts of a graph of
launches in the same way; shorter work that is only memory's by such graphs without idling.
In each round tkc and its peers take turns, in an order drawn anew; while one measures, the other process is idle. A figure is
the median of the rounds, its spread the longest time of any round over the shortest, less one.

--dry-run needs neither GPU nor torch: every case is run at a tiny size in the interpreter and compared with its own test.
"""
import argparse, fnmatch, json, math, os, random, shutil, subprocess, sys, tempfile

from cases import NotInstalled, all_cases
from serving import BURST_US, Tkc, TkcFailed, Torch, copies_for, median

HERE = os.path.dirname(os.path.abspath(__file__))


def chosen(only):
    """The cases asked for, and those that they are compared with."""
    wanted = [o.strip() for o in only.split(",") if o.strip()]
    cases = all_cases()
    asked = [c for c in cases if not wanted or any(c.group == w or fnmatch.fnmatchcase(c.name, w) for w in wanted)]
    beside = {c.same_as for c in asked}
    return [c for c in cases if c in asked or c.name in beside]


def source(root, case):
    beside = os.path.join(HERE, case.kernel[0])
    return beside if os.path.exists(beside) else os.path.join(os.path.abspath(root), "kernels", case.kernel[0])


def prepare(tkc, root, case, values, **more):
    return tkc.ask(do="prepare", name=case.name, file=source(root, case), kernel=case.kernel[1], values=values, **more)


def dry_run(root, cases):
    """Every case at a tiny size in the interpreter, by the same requests as on a GPU."""
    tkc, bad, seen = Tkc(root, "interpreter"), 0, []
    for c in cases:
        if (c.kernel, c.tiny) in seen:
            continue
        seen.append((c.kernel, c.tiny))
        try:
            prepare(tkc, root, c, c.tiny)
            found = tkc.ask(do="check", name=c.name)["check"]
            timed = tkc.ask(do="time", name=c.name)
            tkc.ask(do="release", name=c.name)
            bad += found == "wrong"
            print(f"{c.name:48} {found:8} {timed['median_us']:10.0f} us, {timed['protocol']}", flush=True)
        except TkcFailed as e:
            bad += 1
            print(f"{c.name:48} {str(e).splitlines()[0]}", flush=True)
    tkc.stop()
    return 1 if bad else 0


def check(tkc, case, inputs, folder):
    """What tkc writes, beside the reference: the largest error, relative to the larger of the element and the root mean
    square of its row (or a thousandth of that of all rows), and the root mean square of the errors relative to that of the reference; or what is wrong."""
    from safetensors.torch import load_file
    path = os.path.join(folder, "out.safetensors")
    if os.path.exists(path):
        os.remove(path)
    tkc.ask(do="run", name=case.name, outputs={o: f"{path}:{o}" for o in case.outputs})
    got = load_file(path)
    worst, worst_rms = 0.0, 0.0
    for name, found, exact, *off in case.errors(inputs, got):
        if found.shape != exact.shape or not found.isfinite().all():
            return None, f"{name}: shape {tuple(found.shape)} for {tuple(exact.shape)}, or values that are not finite"
        # Of its own row: the first rows of causal attention average few keys and are larger than the rest. But a row may be
        # nothing at all, such as the gradient of a query that sees one key, and then its rounding is measured by the others.
        whole = exact.pow(2).mean().sqrt()
        rms = exact.pow(2).mean(-1, keepdim=True).sqrt().clamp(min=(whole * 1e-3).item())
        difference = (found - exact).abs()
        if off:  # What float32 sums may be off where their terms cancel, which no bound relative to the result allows.
            difference = (difference - off[0]).clamp(min=0.0)
        worst = max(worst, (difference / exact.abs().maximum(rms)).max().item())
        worst_rms = max(worst_rms, (difference.pow(2).mean().sqrt() / whole).item())
    holds = worst <= case.tolerance and worst_rms <= case.tolerance / 2
    return (worst, worst_rms), "" if holds else f"largest error {worst:.1e}, root mean square {worst_rms:.1e}"


def written(inputs, folder):
    """torch's inputs in a file in memory, as tkc is told where to find them."""
    import torch
    from safetensors.torch import save_file
    path = os.path.join(folder, "in.safetensors")
    tensors = {n: v.contiguous().cpu() for n, v in inputs.items() if torch.is_tensor(v)}
    save_file(tensors, path)
    return {n: f"{path}:{n}" if n in tensors else v for n, v in inputs.items()}


def turns(case, tkc, sides, rounds, protocol, shuffled):
    """Microseconds of each side, in every round."""
    times = {}
    for who in (w for _ in range(rounds) for w in shuffled.sample(["tkc", *sides], 1 + len(sides))):
        try:
            micros = tkc.ask(do="time", name=case.name, protocol=protocol)["micros"] if who == "tkc" else sides[who].time(protocol)
            times.setdefault(who, []).append(micros)
        except (TkcFailed, RuntimeError) as e:
            print(f"  {who}: {str(e).splitlines()[0]}")
    return times


def measure(case, tkc, options, folder, l2_bytes, shuffled):
    """One case: checked, then timed. The row of the results, with what went wrong if anything did."""
    import torch
    row = dict(case=case.name, group=case.group, bar=case.bar)
    inputs = case.make()
    copies = copies_for(case.bytes, l2_bytes)
    try:
        row["prepared"] = prepare(tkc, options.root, case, case.values, inputs=written(inputs, folder), copies=copies)
        errors, wrong = check(tkc, case, inputs, folder)
        row["errors"] = errors
        if wrong:
            row["wrong"] = wrong
    except TkcFailed as e:
        row["failed"] = str(e)
    sets = [inputs] + [case.make() for _ in range(copies - 1)] if case.peers else []
    sides = {}
    for name, call in case.peers.items():
        try:
            side = Torch(call, sets)
            side.estimate()
            sides[name] = side
        except (NotInstalled, RuntimeError, AttributeError, TypeError, ValueError) as e:
            row.setdefault("missing", {})[name] = str(e).splitlines()[0] if str(e) else type(e).__name__
    estimates = [s.estimate() for s in sides.values()]
    work_us = case.flops / 8e8 + case.bytes / 4e6
    long = min(estimates, default=work_us) >= BURST_US
    protocol = "burst" if long else "graph-burst" if case.flops else "graph"
    row["protocol"] = protocol
    if "failed" not in row:
        times = turns(case, tkc, sides, options.rounds, protocol, shuffled)
        row["micros"] = times
        row["us"] = {who: median([m[len(m) // 2] for m in t]) for who, t in times.items()}
        row["spread"] = {who: max(m[-1] for m in t) / min(m[0] for m in t) - 1 for who, t in times.items()}
        if options.sustained and case.sustained:
            row["sustained_us"] = {who: s.sustained(1500) for who, s in sides.items()}
            row["sustained_us"]["tkc"] = tkc.ask(do="sustained", name=case.name, millis=1500)["us"]
    del sets, sides, inputs
    case.peers.clear()  # they may hold what they were called with
    torch.cuda.empty_cache()
    try:
        tkc.ask(do="release", name=case.name)
    except TkcFailed as e:
        row.setdefault("failed", str(e))
    return row


def rate(case, us):
    return case.flops / us / 1e6 if case.flops else case.bytes / us / 1e3


def finish(case, row, rates):
    """Ratios of the row (above 1: tkc is faster), its best peer, and whether the bar is met."""
    us = row.get("us", {})
    if "tkc" not in us:
        return
    rates[case.name] = row["rate"] = rate(case, us["tkc"])
    row["unit"] = "TFLOP/s" if case.flops else "GB/s"
    row["ratios"] = {who: t / us["tkc"] for who, t in us.items() if who != "tkc"}
    if case.same_as:
        if case.same_as in rates:
            row["ratios"][case.same_as] = row["rate"] / rates[case.same_as]
        else:
            row.setdefault("missing", {})[case.same_as] = "was not timed"
        row["ratio"] = row["ratios"].get(case.same_as)
    else:
        against = [r for who, r in row["ratios"].items() if not case.against or who in case.against]
        row["ratio"] = min(against, default=None)
    if row["ratio"] is not None and case.bar is not None:
        row["met"] = row["ratio"] >= case.bar and "wrong" not in row


def show(case, row):
    if "failed" in row:
        print(f"{case.name:44} FAILED: {row['failed'].splitlines()[0]}")
    if "us" not in row or "tkc" not in row["us"]:
        return
    ratios = "  ".join(f"{who} {r:.3f}" for who, r in sorted(row["ratios"].items()))
    bar = f"bar {case.bar:.2f} " + ("met" if row["met"] else "NOT MET") if "met" in row else ""
    wrong = f"  WRONG: {row['wrong']}" if "wrong" in row else ""
    functions = row["prepared"].get("functions", [])
    taken = ", ".join(f"{f['registers']} regs" + (f" SPILLS {f['spill_bytes']}" if f["spill_bytes"] else "") for f in functions)
    print(f"{case.name:44} {row['us']['tkc']:9.1f} us {row['rate']:7.0f} {row['unit']:7} {ratios}  {bar}  "
          f"spread {row['spread']['tkc']:.1%}  [{taken}]{wrong}", flush=True)
    if "sustained_us" in row:
        long = row["sustained_us"]
        print(f"  1.5 s without rest: {rate(case, long['tkc']):.0f} {row['unit']}, "
              + ", ".join(f"{who} {t / long['tkc']:.3f}" for who, t in long.items() if who != "tkc"))
    for name, why in row.get("missing", {}).items():
        print(f"  {name}: {why}")


def summary(rows):
    """Geometric mean and least of each group's ratios."""
    groups = {}
    for row in rows:
        if row.get("ratio"):
            groups.setdefault(row["group"], []).append(row["ratio"])
    print(f"\n{'group':36} {'cases':>5} {'geometric mean':>14} {'least':>7}")
    result = {}
    for group, ratios in groups.items():
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        result[group] = dict(cases=len(ratios), geometric_mean=mean, least=min(ratios))
        print(f"{group:36} {len(ratios):5} {mean:14.3f} {min(ratios):7.3f}")
    return result


def markdown(cases, rows, groups):
    """The rows as tables for people, a table for each group."""
    lines = []
    of = {c.name: c for c in cases}
    for group in dict.fromkeys(r["group"] for r in rows):
        own = [r for r in rows if r["group"] == group]
        others = sorted({who for r in own for who in r.get("ratios", {})})
        long = any("sustained_us" in r for r in own)
        head = ["case", "µs", "rate", *(f"× {w}" for w in others), *(["sustained"] if long else []), "spread", "wanted", "met"]
        lines += [f"### {group}", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        for r in own:
            if "us" not in r or "tkc" not in r["us"]:
                lines.append(f"| {r['case']} | failed: {r.get('failed', '').splitlines()[0] if r.get('failed') else ''} "
                             + "| " * (len(head) - 2) + "|")
                continue
            spread = ", ".join(f"{who} {x:.1%}" for who, x in sorted(r["spread"].items(), key=lambda e: e[0] != "tkc"))
            cells = [r["case"], f"{r['us']['tkc']:.1f}", f"{r['rate']:.0f} {r['unit']}",
                     *(f"{r['ratios'][w]:.3f}" if w in r["ratios"] else "" for w in others), *(sustained(of[r["case"]], r) if long else []),
                     spread, "" if r["bar"] is None else f"{r['bar']:.2f}",
                     "wrong result" if "wrong" in r else {True: "yes", False: "no"}.get(r.get("met"), "")]
            lines.append("| " + " | ".join(cells) + " |")
        if group in groups and groups[group]["cases"] > 1:
            g = groups[group]
            lines += ["", f"Of the smallest ratio of each case: geometric mean {g['geometric_mean']:.3f}, least {g['least']:.3f}."]
        lines.append("")
    return "\n".join(lines)


def sustained(case, row):
    """A cell: the rate without rest, and the ratios there."""
    long = row.get("sustained_us")
    return [f"{rate(case, long['tkc']):.0f}, " + ", ".join(f"× {w} {t / long['tkc']:.3f}" for w, t in long.items() if w != "tkc")
            if long else ""]


def machine(torch, hello):
    """Driver, clocks and versions, to stand beside the figures."""
    about = dict(tkc=hello, torch=torch.__version__, cuda=torch.version.cuda, cudnn=torch.backends.cudnn.version(),
                 gpu=torch.cuda.get_device_name())
    try:
        import triton
        about["triton"] = triton.__version__
    except ImportError:
        about["triton"] = None
    if shutil.which("nvidia-smi"):
        fields = "driver_version,clocks.sm,clocks.max.sm,clocks.mem,power.limit,temperature.gpu"
        run = subprocess.run(["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"], capture_output=True, text=True)
        about["nvidia-smi"] = dict(zip(fields.split(","), run.stdout.splitlines()[0].split(", "))) if run.stdout else None
    return about


def compare(options, cases):
    import torch
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 30)
    torch.manual_seed(seed)
    torch.set_float32_matmul_precision("highest")
    shuffled = random.Random(seed)
    tkc = Tkc(options.root, "cuda")
    about = machine(torch, tkc.start())
    print(json.dumps(about), f"seed {seed}", flush=True)
    l2_bytes = torch.cuda.get_device_properties(0).L2_cache_size
    rows, rates = [], {}
    shared = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        for case in cases:
            row = measure(case, tkc, options, folder, l2_bytes, shuffled)
            finish(case, row, rates)
            show(case, row)
            rows.append(row)
            if options.out:
                with open(options.out, "w") as f:
                    json.dump(dict(machine=about, seed=seed, rows=rows), f, indent=1)
    tkc.stop()
    groups = summary(rows)
    if options.out:
        with open(options.out, "w") as f:
            json.dump(dict(machine=about, seed=seed, groups=groups, rows=rows), f, indent=1)
    if options.markdown:
        with open(options.markdown, "w") as f:
            f.write(markdown(cases, rows, groups))
    missed = [r["case"] for r in rows if "failed" in r or "wrong" in r or r.get("met") is False]
    print("all bars met" if not missed else "not met: " + ", ".join(missed))
    return 1 if missed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", nargs="?")
    parser.add_argument("--only", default="", help="groups, or patterns of names (`gemm*`), joined by commas")
    parser.add_argument("--list", action="store_true", help="only say which cases there are")
    parser.add_argument("--dry-run", action="store_true", help="tiny sizes in the interpreter, without peers")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side")
    parser.add_argument("--sustained", action="store_true", help="1.5 s without rest as well, for the cases that say so")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--out", help="a file for the results, JSON")
    parser.add_argument("--markdown", help="a file for the tables")
    options = parser.parse_args()
    cases = chosen(options.only)
    if not cases:
        sys.exit(f"no case is called `{options.only}`; --list shows them all, with their groups")
    if options.list:
        for c in cases:
            print(f"{c.group:36} {c.name}")
        return 0
    if options.root is None:
        parser.error("ROOT is missing")
    return dry_run(options.root, cases) if options.dry_run else compare(options, cases)


if __name__ == "__main__":
    sys.exit(main())
