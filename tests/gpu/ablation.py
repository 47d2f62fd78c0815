#!/usr/bin/env python3
"""What each pass is worth: kernels timed with everything on, and with each pass that may be left out left out, one at a time.

    python3 tests/gpu/ablation.py ROOT --list [--plan FILE]
    python3 tests/gpu/ablation.py ROOT [--plan FILE] [--only PATTERNS] [--passes NAMES] [--rounds 9] [--burst-us 8000]
                                       [--seconds S] [--resume FILE] [--out FILE] [--markdown FILE]
    python3 tests/gpu/ablation.py ROOT --dry-run

ROOT as for compare.py, cases are its cases. All variants of a case have the constants that the whole pipeline was given, so that
only the pass is missing. A variant whose code is the same is not timed; one that does not compile, or writes something wrong,
is said so, and so is one whose products no longer run beside the warps. Everything that is timed is checked first. In each round all
variants are timed once, in a short burst, in an order drawn anew; a cost is the median over the rounds of the time over that of
everything on in the same round, less one, and what follows ± is half of what the middle half of the rounds spans.

--list needs no GPU: it compiles, says which passes matter to which case, and writes that down in the plan. A run that is given the
plan compiles only what matters. --seconds begins no case that would end later, going by the longest so far; --resume takes the cases
that an earlier run has written to its --out as they are. --dry-run goes the whole way at tiny sizes, without GPU and torch.
"""
import argparse, fnmatch, json, os, random, statistics, subprocess, sys, tempfile, threading, time
from collections import deque

from cases import all_cases
from compare import check, machine, rate, source, written
from serving import BURST_US, Tkc, TkcFailed, copies_for, launcher, median

CASES = ["gemm 8192^3", "gemm 4096^3", "gemm 512^3", "gemm_skinny 16x4096x4096", "gemm 4095x4097x4103", "gemm_e4m3 8192^3",
         "attention D128 4x4096 full", "attention D128 4x4096 causal", "attention D64 4x4096 full", "attention D64 4x4096 causal",
         "attention_backward D128 4x4096 full", "silu(x)*"]
WHOLE = ""  # the name of nothing left out
IDLE = ("no effect", "required")


class Variant:
    """A case without one pass, and what became of it. Looks like its case to `check`."""

    def __init__(self, case, without, found=None):
        self.case, self.without, self.found, self.name = case, without, found, f"{case.name} {without}"
        self.outputs, self.errors, self.tolerance = case.outputs, case.errors, case.tolerance
        self.tkc, self.code, self.functions, self.ratios, self.micros = None, None, None, [], []

    def ask(self, tkc, root, do, values, **more):
        return tkc.ask(do=do, name=self.name, file=source(root, self.case), kernel=self.case.kernel[1], values=values,
                       disable=[self.without] if self.without else [], **more)

    def failed(self, error):
        first = str(error).splitlines()[0]
        self.found = "required" if "cannot be left out" in first else "fails: " + first

    def timed(self):
        return self.found in (None, "synchronous")

    def result(self):
        return dict(without=self.without, found=self.found, micros=self.micros, ratios=self.ratios, code=self.code,
                    functions=self.functions)


def spread(servers, jobs):
    """Runs jobs, which are functions of a server, side by side, one at a time on each server."""
    waiting, errors = deque(jobs), []

    def work(server):
        while not errors:
            try:
                job = waiting.popleft()
            except IndexError:
                return
            try:
                job(server)
            except Exception as e:  # of another thread: thrown again below
                errors.append(e)
    threads = [threading.Thread(target=work, args=(s,)) for s in servers]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]


def passes(root):
    """The names in the pipeline's table."""
    text = subprocess.run([launcher(root), "opt", "--list-passes"], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in text.splitlines() if line.strip()]


# ---------------------------------------------------------------------------------------------------------------- the plan

def planned(root, cases, names, servers, tiny=False):
    """Compiles every case with everything on and without each pass: the values of a case with the constants that it was given, and
    of each pass why it is not timed, None if it is."""
    plan, whole = {}, {}

    def compile_whole(case):
        def job(tkc):
            try:
                values = case.tiny if tiny else case.values
                whole[case.name] = code = Variant(case, WHOLE).ask(tkc, root, "code", values)
                plan[case.name] = dict(values={**values, **code["constants"]}, code=code["code"], passes={})
            except TkcFailed as e:
                print(f"{case.name}: {str(e).splitlines()[0]}")
        return job

    def compile_without(case, name):
        def job(tkc):
            v = Variant(case, name)
            try:
                code = v.ask(tkc, root, "code", plan[case.name]["values"])
                if code["code"] == whole[case.name]["code"]:
                    v.found = "no effect"
                elif code["synchronous"] > whole[case.name]["synchronous"]:
                    v.found = "synchronous"
            except TkcFailed as e:
                v.failed(e)
            plan[case.name]["passes"][name] = v.found
        return job
    spread(servers, [compile_whole(c) for c in cases])
    spread(servers, [compile_without(c, n) for c in cases if c.name in plan for n in names])
    return {c.name: plan[c.name] for c in cases if c.name in plan}


def show_plan(plan):
    for case, p in plan.items():
        matter = [n + ("" if f is None else f" ({f})") for n, f in p["passes"].items() if f not in IDLE]
        print(f"{case}: {', '.join(matter) or 'no pass matters'}")


# ---------------------------------------------------------------------------------------------------------------- measuring

class Device:
    """What measuring needs of the machine: a GPU with torch beside it."""

    def __init__(self, torch, root, folder):
        self.torch, self.root, self.folder = torch, root, folder
        self.l2_bytes = torch.cuda.get_device_properties(0).L2_cache_size

    def inputs(self, case):
        made = case.make()
        return made, dict(inputs=written(made, self.folder), copies=copies_for(case.bytes, self.l2_bytes))

    def wrong(self, v, inputs):
        return check(v.tkc, v, inputs, self.folder)[1]

    def time(self, v, burst_us):
        case = v.case
        protocol = "back-to-back" if case.flops / 8e8 + case.bytes / 4e6 >= BURST_US else "graph"
        return v.tkc.ask(do="time", name=v.name, protocol=protocol, rounds=1, round_us=burst_us)["median_us"]

    def done(self):
        self.torch.cuda.empty_cache()


class DryRun(Device):
    """The interpreter at tiny sizes, on the data of the kernels' own tests."""

    def __init__(self, root):
        self.root = root

    def inputs(self, case):
        return None, {}

    def wrong(self, v, inputs):
        found = v.tkc.ask(do="check", name=v.name)["check"]
        return "its test says so" if found == "wrong" else ""

    def time(self, v, burst_us):
        return v.tkc.ask(do="time", name=v.name, rounds=1)["median_us"]

    def done(self):
        pass


def prepare(device, variants, values, servers):
    """Compiles on all servers at once and checks. A variant whose code is that of everything on here too is out."""
    inputs, given = device.inputs(variants[0].case)

    def job(v):
        def run(tkc):
            try:
                prepared = v.ask(tkc, device.root, "prepare", values, **given)
                v.tkc, v.code, v.functions = tkc, prepared.get("code"), prepared.get("functions")
            except TkcFailed as e:
                v.failed(e)
        return run
    spread(servers, [job(v) for v in variants])
    for v in variants:
        try:
            if v is not variants[0] and v.code is not None and v.code == variants[0].code:
                v.found = "no effect"
            wrong = device.wrong(v, inputs) if v.timed() else ""
            if wrong:
                v.found = "wrong: " + wrong
        except TkcFailed as e:
            v.failed(e)


def measure(device, variants, options, shuffled):
    """Bursts of all variants in turn; the first round only warms up."""
    for turn in range(options.rounds + 1):
        times = {}
        running = [v for v in variants if v.timed()]
        for v in shuffled.sample(running, len(running)):
            try:
                times[v] = device.time(v, options.burst_us)
            except TkcFailed as e:
                v.failed(e)
        for v, us in times.items():
            if turn > 0:
                v.micros.append(us)
                if variants[0] in times:
                    v.ratios.append(us / times[variants[0]])


def one_case(device, case, plan, options, servers, shuffled):
    """The results of a case."""
    wanted = {n: f for n, f in plan["passes"].items() if not options.passes or n in options.passes.split(",")}
    everything = [Variant(case, WHOLE)] + [Variant(case, n, f) for n, f in wanted.items()]
    variants = [v for v in everything if v.timed()]
    begin = time.monotonic()
    prepare(device, variants, plan["values"], servers)
    ready = time.monotonic()
    measure(device, variants, options, shuffled)
    for v in variants:
        try:
            if v.tkc:
                v.tkc.ask(do="release", name=v.name)
        except TkcFailed as e:
            print(f"  {v.name}: {str(e).splitlines()[0]}")
    device.done()
    took = dict(prepare_s=round(ready - begin, 1), measure_s=round(time.monotonic() - ready, 1))
    return dict(case=case.name, values=plan["values"], **took, variants=[v.result() for v in everything])


# ---------------------------------------------------------------------------------------------------------------- the table

def cell(v):
    """What is written of a variant."""
    if v["found"] and v["found"] != "synchronous":
        return v["found"].split(":")[0]
    if not v["ratios"]:
        return v["found"] or "changes"
    ratios = v["ratios"]
    quarters = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else [ratios[0]] * 3
    cost = f"{median(ratios) - 1:+.1%} (±{(quarters[2] - quarters[0]) / 2:.1%})"
    return cost + (", synchronous" if v["found"] else "")


def table(results):
    """Markdown: a row for each pass that matters anywhere, a column for each case."""
    cases = {c.name: c for c in all_cases()}
    names = list(dict.fromkeys(v["without"] for r in results for v in r["variants"] if v["without"]))
    of = {(r["case"], v["without"]): v for r in results for v in r["variants"]}
    kept = [n for n in names if any(cell(of[k]) not in IDLE for k in of if k[1] == n)]
    lines = ["| without | " + " | ".join(r["case"] for r in results) + " |", "|---|" + "---|" * len(results)]

    def everything(name):
        v = of[name, WHOLE]
        return f"{median(v['micros']):.1f} µs, {rate(cases[name], median(v['micros'])):.0f}" if v["micros"] else cell(v)
    lines.append("| (everything on) | " + " | ".join(everything(r["case"]) for r in results) + " |")
    for n in kept:
        cells = [cell(of[r["case"], n]) if (r["case"], n) in of else "" for r in results]
        lines.append(f"| `{n}` | " + " | ".join("" if c == "no effect" else c for c in cells) + " |")
    text = "\n".join(lines) + "\n"
    reasons = {}
    for (case, without), v in of.items():
        if v["found"] and ":" in v["found"]:
            reasons.setdefault((without, v["found"]), []).append(case)
    for (without, found), where in reasons.items():
        text += f"\nWithout `{without}`, {', '.join(where)} {found}."
    idle = [n for n in names if n not in kept]
    return text + ("\n\nNo effect on any of these, or required: " + ", ".join(f"`{n}`" for n in idle) + ".\n" if idle else "\n")


def show(result):
    took = f"{result['prepare_s']:.1f} + {result['measure_s']:.1f} s"
    print(f"{result['case']} ({took}): " + "; ".join(f"{v['without'] or 'whole'} {cell(v)}" for v in result["variants"]
                                                    if v["found"] not in IDLE), flush=True)
    for v in result["variants"]:
        if v["found"] and ":" in v["found"]:
            print(f"  {v['without'] or 'whole'}: {v['found']}")


# ---------------------------------------------------------------------------------------------------------------- the run

def chosen(only):
    wanted = [o.strip() for o in only.split(",") if o.strip()] or CASES
    found = {c.name: c for c in all_cases()}.values()
    # In the order asked for: what matters most is measured first.
    return list({c.name: c for w in wanted for c in found if c.group == w or fnmatch.fnmatchcase(c.name, w)}.values())


def read(path):
    with open(path) as f:
        return json.load(f)


def write(path, content):
    if path:
        with open(path, "w") as f:
            f.write(content)


def run(options, cases, plan, device, servers, about, shuffled):
    """All cases; what has been measured is written after each."""
    begin, longest = time.monotonic(), 0
    results = read(options.resume)["results"] if options.resume else []
    for case in cases:
        began = time.monotonic()
        if case.name in [r["case"] for r in results] or case.name not in plan:
            continue
        if options.seconds and began - begin + longest > options.seconds:
            print(f"no time left for {case.name}")
            continue
        try:
            results.append(one_case(device, case, plan[case.name], options, servers, shuffled))
        except TkcFailed as e:
            print(f"{case.name}: {str(e).splitlines()[0]}", flush=True)
            continue
        longest = max(longest, time.monotonic() - began)
        show(results[-1])
        write(options.out, json.dumps(dict(about=about, results=results), indent=1))
        write(options.markdown, table(results))
    return results


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root")
    parser.add_argument("--only", default="", help="groups, or patterns of names (`gemm*`), joined by commas")
    parser.add_argument("--passes", default="", help="the passes to leave out, joined by commas; else all that can be")
    parser.add_argument("--list", action="store_true", help="compile only: which passes matter to which case")
    parser.add_argument("--plan", help="what --list found: written by it, read by a run")
    parser.add_argument("--target", default="sm_90a", help="what --list compiles for")
    parser.add_argument("--dry-run", action="store_true", help="tiny sizes in the interpreter, without GPU and torch")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--burst-us", type=int, default=8000, help="how long a variant is timed in a round")
    parser.add_argument("--seconds", type=float, help="begin no case that would end later")
    parser.add_argument("--resume", help="the --out of an earlier run, whose cases are not measured again")
    parser.add_argument("--processes", type=int, default=10, help="how many compile side by side")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--out", help="a file for the results, JSON")
    parser.add_argument("--markdown", help="a file for the table")
    return parser.parse_args()


def on_machine(options, cases, servers, seed, folder):
    """Measures on a GPU, or goes through the motions."""
    about = dict(seed=seed, rounds=options.rounds, burst_us=options.burst_us)
    if options.dry_run:
        device = DryRun(options.root)
    else:
        import torch
        torch.manual_seed(seed)
        torch.set_float32_matmul_precision("highest")
        device = Device(torch, options.root, folder)
        spread(servers, [lambda tkc: tkc.ask(do="hello")] * len(servers))
        about["machine"] = machine(torch, servers[0].ask(do="hello"))
    print(json.dumps(about), flush=True)
    names = options.passes.split(",") if options.passes else passes(options.root)
    plan = read(options.plan) if options.plan else planned(options.root, cases, names, servers, options.dry_run)
    return run(options, cases, plan, device, servers, about, random.Random(seed))


def main():
    options = arguments()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 30)
    where = f"passes:{options.target}" if options.list or options.dry_run else "cuda"
    servers = [Tkc(options.root, where) for _ in range(max(1, options.processes))]
    cases = chosen(options.only)
    if not cases:
        sys.exit(f"no case is called `{options.only}`; compare.py --list shows them all, with their groups")
    shared = "/dev/shm" if os.path.isdir("/dev/shm") else None
    try:
        if options.list:
            names = options.passes.split(",") if options.passes else passes(options.root)
            plan = planned(options.root, cases, names, servers)
            show_plan(plan)
            write(options.plan, json.dumps(plan, indent=1))
            return 0 if plan else 1
        with tempfile.TemporaryDirectory(dir=shared) as folder:
            results = on_machine(options, cases, servers, seed, folder)
    finally:
        for s in servers:
            s.stop()
    if not results:
        return 1
    print("\n" + table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
