"""tkc as a process that measures on request (`tkc bench --serve`), and the measuring of torch's side by the same protocol.

Both processes stay alive for the whole run and share the GPU; while one measures, the other idles.
"""
import json, os, statistics, subprocess, sys, time

ROUNDS = 5
BURST_US = 200
ROUND_US = 20_000
GRAPH_US = 1_000
MOST_COPIES = 64


class TkcFailed(Exception):
    pass


def launcher(root):
    """The command of an unpacked archive, or of a working copy."""
    for command in (os.path.join(root, "bin", "tkc"), os.path.join(root, "tkc")):
        if os.path.isfile(command):
            return os.path.abspath(command)
    sys.exit(f"there is no tkc in {root}: neither bin/tkc, as in an unpacked archive, nor tkc, as in a working copy")


class Tkc:
    """The served process; started again when its device was lost."""

    def __init__(self, root, device, *options):
        self.root, self.device, self.options, self.process = os.path.abspath(root), device, options, None

    def start(self):
        self.process = subprocess.Popen([launcher(self.root), "bench", "--serve", "--device", self.device, *self.options], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self.ask(do="hello")

    def ask(self, **request):
        if self.process is None:
            self.start()
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.stop()
            raise TkcFailed("tkc ended without an answer")
        answer = json.loads(line)
        if "error" in answer:
            if answer["lost"]:
                self.stop()
            raise TkcFailed(answer["error"])
        return answer

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def copies_for(bytes_per_set, l2_bytes):
    """Sets of buffers that together exceed twice the L2."""
    return int(max(1, min(MOST_COPIES, 2 * l2_bytes // max(1, bytes_per_set) + 1)))


def rest(protocol):
    """Idles before a round of a burst: a chip that was at work is hot, and who follows would look slower."""
    if protocol in ("burst", "graph-burst"):
        time.sleep(0.2)


class Torch:
    """One peer's call over rotated sets of inputs; the counterpart of BenchSubject, step by step."""

    def __init__(self, call, sets):
        import torch
        self.torch, self.call, self.sets = torch, call, sets

    def queue(self, runs):
        for i in range(runs):
            self.call(self.sets[i % len(self.sets)])

    def between(self, work):
        """Microseconds between two events around the work."""
        begin, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        work()
        end.record()
        self.torch.cuda.synchronize()
        return begin.elapsed_time(end) * 1000

    def estimate(self):
        # Every set once, so that what is allocated for one is there before a graph is written down.
        self.queue(max(3, len(self.sets)))
        self.torch.cuda.synchronize()
        return max(0.5, self.between(lambda: self.queue(5)) / 5)

    def time(self, protocol):
        estimate = self.estimate()
        if protocol in ("graph", "graph-burst"):
            return self.graph(estimate, protocol)
        runs = max(1, min(5000, round(ROUND_US / estimate)))
        micros = []
        for _ in range(ROUNDS):
            rest(protocol)
            self.queue(2)
            self.torch.cuda.synchronize()
            micros.append(self.between(lambda: self.queue(runs)) / runs)
        return sorted(micros)

    def graph(self, estimate, protocol):
        turns = max(1, min(2000 // len(self.sets) + 1, round(GRAPH_US / estimate / len(self.sets))))
        nodes = turns * len(self.sets)
        side = self.torch.cuda.Stream()
        with self.torch.cuda.stream(side):
            self.queue(2)
        self.torch.cuda.synchronize()
        graph = self.torch.cuda.CUDAGraph()
        with self.torch.cuda.graph(graph, stream=side):
            self.queue(nodes)
        once = self.between(graph.replay)
        replays = max(1, min(5000, round(ROUND_US / once)))
        micros = []
        for _ in range(ROUNDS):
            rest(protocol)
            graph.replay()
            graph.replay()
            self.torch.cuda.synchronize()
            micros.append(self.between(lambda: [graph.replay() for _ in range(replays)]) / replays / nodes)
        del graph
        return sorted(micros)

    def sustained(self, millis):
        runs = max(1, round(millis * 1e3 / self.estimate()))
        return self.between(lambda: self.queue(runs)) / runs


def median(values):
    return statistics.median(values)
