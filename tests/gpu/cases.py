"""The cases of the comparison: what tkc runs, what it is compared with, and the bar. Building the list needs no torch; what
needs it is behind functions."""
import math
from dataclasses import dataclass, field
from typing import Callable, Optional


@dataclass
class Case:
    """One row of the table.

    values: constants and sizes of tkc's kernel; no schedule. make: a fresh set of inputs by the names of parameters, tensors
    and numbers. errors: pairs to compare, given the inputs and what tkc wrote. peers: name → call on a set of inputs, or None
    where it is not installed. bar: the least ratio asked for, against the best of the peers in `against` (all if empty).
    """
    name: str
    group: str
    kernel: tuple                     # file below kernels/ (or beside this one), name
    values: dict
    make: Callable
    outputs: list
    errors: Callable
    peers: dict = field(default_factory=dict)
    flops: float = 0
    bytes: float = 0
    tolerance: float = 1e-2
    bar: Optional[float] = None
    against: tuple = ()
    tiny: dict = field(default_factory=dict)
    same_as: Optional[str] = None     # another case that this one is compared with, by its rate
    sustained: bool = False           # whether 1.5 s without rest are of interest too


def lazily(name, *args, **kwargs):
    """A function of peers.py, looked up when it is first called, so that the list can be had without torch."""
    made = []

    def call(*given):
        if not made:
            import peers
            made.append(getattr(peers, name)(*args, **kwargs) if args or kwargs or name in FACTORIES else getattr(peers, name))
        if made[0] is None:
            raise NotInstalled(name)
        return made[0](*given)
    return call


class NotInstalled(Exception):
    pass


FACTORIES = ("triton_product", "product", "cudnn", "flash", "scaled_product", "backward_cudnn", "backward_flash")


def normal(*shape, dtype="bfloat16", scale=1.0):
    import peers
    import torch
    return peers.normal(*shape, dtype=getattr(torch, dtype), scale=scale)


# Matrix products

def errors_of_product(ta=False, tb=False, tail=lambda x, s: x):
    def errors(s, got):
        import peers
        yield "c", got["c"].cuda().float(), tail(peers.exact_product(s, ta, tb), s)
    return errors


def gemm(m, n, k, group="gemm", kernel="gemm", file="gemm.tk", ta=False, tb=False, dtype="bfloat16", peers=None, bar=None,
         tolerance=1e-2, extra=None, tail=lambda x, s: x, name=None, out_bytes=2, in_bytes=2, against=(), make=None):
    shape_a = (k, m) if ta else (m, k)
    shape_b = (n, k) if tb else (k, n)

    def inputs():
        s = {"a": normal(*shape_a, dtype=dtype), "b": normal(*shape_b, dtype=dtype)}
        s.update(extra() if extra else {})
        return s
    size = f"{m}^3" if m == n == k else f"{m}x{n}x{k}"
    return Case(
        name=f"{name or kernel} {size}", group=group, kernel=(file, kernel), values=dict(M=m, N=n, K=k), make=make or inputs,
        outputs=["c"], errors=errors_of_product(ta, tb, tail), peers=peers or {"cublas": lazily("product", ta, tb)},
        flops=2 * m * n * k, bytes=in_bytes * (m * k + n * k) + out_bytes * m * n, tolerance=tolerance, bar=bar, against=against,
        tiny=dict(M=33, N=40, K=70))


def gemms():
    both = lambda: {"cublas": lazily("product"), "triton": lazily("triton_product")}
    for m, n, k in [(2048,) * 3, (4096,) * 3, (8192,) * 3, (4096, 14336, 4096), (8192, 8192, 1024)]:
        c = gemm(m, n, k, peers=both(), bar=0.98)
        c.sustained = True
        yield c
    for n in (512, 1024):
        yield gemm(n, n, n, group="gemm short", bar=0.95)
    yield gemm(16, 4096, 4096, group="gemm skinny", kernel="gemm_skinny", bar=1.3)
    yield gemm(128, 4096, 14336, group="gemm skinny", kernel="gemm_split_k", bar=1.0)
    yield gemm(128, 4096, 14336, group="gemm skinny", kernel="gemm_stream_k", bar=1.0)
    yield gemm(4095, 4097, 4103, group="gemm odd", bar=2.5)
    yield gemm(8205, 2949, 5921, group="gemm odd", bar=2.5)
    for order, ta, tb in (("nt", False, True), ("tn", True, False), ("tt", True, True)):
        yield gemm(4096, 4096, 4096, group="gemm orders", kernel=f"gemm_{order}", ta=ta, tb=tb, bar=0.98)
    yield gemm(8192, 8192, 8192, group="gemm orders", kernel="gemm_nt", tb=True, bar=0.98)
    yield batched(16, 2048, 2048, 1024)
    yield from fused()
    yield gemm(8192, 8192, 8192, group="gemm types", file="gemm_types.tk", kernel="gemm_f16", dtype="float16", bar=0.98)
    yield gemm(4096, 4096, 4096, group="gemm types", file="gemm_types.tk", kernel="gemm_tf32", dtype="float32", bar=0.97,
               peers={"cublas": lazily("tf32_product")}, in_bytes=4, out_bytes=4)
    yield from eight_bits()


def batched(b, m, n, k):
    c = gemm(m, n, k, group="gemm batched", kernel="gemm_batched", bar=0.98)
    c.name, c.values, c.tiny = f"gemm_batched {b}x{m}x{n}x{k}", dict(B=b, M=m, N=n, K=k), dict(B=2, M=33, N=40, K=70)
    c.make = lambda: {"a": normal(b, m, k), "b": normal(b, k, n)}
    c.flops, c.bytes = b * c.flops, b * c.bytes
    return c


def fused():
    m, n, k = 4096, 14336, 4096

    def with_bias(x, s):
        return x + s["bias"].float()

    def linear(s):
        import peers
        return peers.F.linear(s["a"], s["b"], s["bias"])

    def linear_gelu(s):
        import peers
        return peers.F.gelu(linear(s), approximate="tanh")

    def gelu(x):
        import peers
        return peers.F.gelu(x, approximate="tanh")

    def bias():
        return {"bias": normal(n)}

    yield gemm(m, n, k, group="gemm fused", kernel="gemm_bias", tb=True, extra=bias, tail=with_bias,
               peers={"cublas": linear}, bar=0.98)
    yield gemm(m, n, k, group="gemm fused", kernel="gemm_bias_gelu", tb=True, extra=bias,
               tail=lambda x, s: gelu(with_bias(x, s)), peers={"cublas": linear_gelu}, bar=0.98)
    yield gemm(m, n, k, group="gemm fused", kernel="gemm_bias_residual", tb=True,
               extra=lambda: {"bias": normal(n), "residual": normal(m, n)},
               tail=lambda x, s: with_bias(x, s) + s["residual"].float(),
               peers={"cublas": lambda s: linear(s) + s["residual"]}, bar=0.98)


def eight_bits():
    def scales(m=None, n=None):
        import torch
        if m is None:
            return {"scale_a": 1.0, "scale_b": 1.0}
        return {"scale_a": torch.rand(m, device="cuda") + 0.5, "scale_b": torch.rand(n, device="cuda") + 0.5}

    def scaled(x, s):
        return x * (s["scale_a"][:, None] * s["scale_b"][None, :])

    both = lambda: {"cublas": lazily("scaled_product", True), "cublas exact": lazily("scaled_product", False)}
    for n in (4096, 8192):
        yield gemm(n, n, n, group="gemm fp8", file="gemm_fp8.tk", kernel="gemm_e4m3", tb=True, dtype="float8_e4m3fn",
                   extra=scales, peers=both(), bar=0.97, tolerance=3e-2, in_bytes=1)
    # Scales by rows are given to cuBLAS with B's columns: torch asks for [M, 1] and [1, N].
    yield gemm(8192, 8192, 8192, group="gemm fp8", file="gemm_fp8.tk", kernel="gemm_e4m3_rows", tb=True,
               dtype="float8_e4m3fn", extra=lambda: scales(8192, 8192), tail=scaled, peers=both(), bar=0.97, tolerance=3e-2,
               in_bytes=1)
    yield blockwise(8192)

    def int8():
        import torch
        return {n: torch.randint(-128, 128, (8192, 8192), device="cuda", dtype=torch.int8) for n in ("a", "b")}
    yield gemm(8192, 8192, 8192, group="gemm int8", file="gemm_int8.tk", kernel="gemm_i8", tb=True, make=int8,
               peers={"cublas": lazily("int8_product")}, bar=0.97, in_bytes=1, out_bytes=4, tolerance=1e-5)


def blockwise(n):
    """A scale for each 1×128 of A and each 128×128 of B; the plain fp8 product is what it is measured against."""
    def inputs():
        import torch
        s = {"a": normal(n, n, dtype="float8_e4m3fn"), "b": normal(n, n, dtype="float8_e4m3fn")}
        s["scale_a"] = torch.rand(n, n // 128, device="cuda") + 0.5
        s["scale_b"] = torch.rand(n // 128, n // 128, device="cuda") + 0.5
        return s

    def errors(s, got):
        a = s["a"].float() * s["scale_a"].repeat_interleave(128, 1)
        b = s["b"].float() * s["scale_b"].repeat_interleave(128, 0).repeat_interleave(128, 1)
        yield "c", got["c"].cuda().float(), a @ b.T

    def plain(s):
        import peers
        return peers.torch._scaled_mm(s["a"], s["b"].t(), peers.one(), peers.one(), out_dtype=peers.torch.bfloat16,
                                      use_fast_accum=True)
    c = gemm(n, n, n, group="gemm fp8", file="gemm_fp8.tk", kernel="gemm_e4m3_blocks", in_bytes=1, tolerance=2e-2, make=inputs,
             peers={"cublas unscaled": plain})
    c.errors = errors
    return c


# Attention

def heads_of(d):
    return 32 if d == 64 else 16


def attention(b, n, d, causal, group=None, h=None, g=None, bar=1.0, kernel="attention", same_as=None, values=None, name=None):
    h = h or heads_of(d)
    g = g or h

    def inputs():
        return {"q": normal(b, h, n, d), "k": normal(b, g, n, d), "v": normal(b, g, n, d), "scale": 1 / math.sqrt(d)}

    def errors(s, got):
        import peers
        return peers.attention_errors(s, got, causal)
    kind = "causal" if causal else "full"
    gqa = g != h
    return Case(
        name=f"{name or kernel} D{d} {b}x{n}{f' {h}/{g} heads' if gqa else ''} {kind}", group=group or f"attention D{d}",
        kernel=("attention.tk", kernel), values=dict(B=b, H=h, G=g, N=n, S=n, D=d, causal=causal, **(values or {})), make=inputs,
        outputs=["o", "lse"], errors=errors,
        peers={"cudnn": lazily("cudnn", causal, gqa), "flash": lazily("flash", causal, gqa)},
        flops=4 * b * h * n * n * d / (2 if causal else 1), bytes=2 * b * n * d * (2 * h + 2 * g), tolerance=3e-2, bar=bar,
        tiny=dict(B=1, H=2, G=1, N=40, S=40, D=16, causal=causal, **(values or {})), same_as=same_as)


SEQUENCES = [(16, 1024), (8, 2048), (4, 4096), (2, 8192), (1, 16384)]


def attentions():
    for d in (128, 64):
        for causal in (False, True):
            for b, n in SEQUENCES:
                yield attention(b, n, d, causal)
    for d in (96, 256):
        for causal in (False, True):
            yield attention(4, 4096, d, causal, group="attention other D")
    for causal in (False, True):
        yield attention(4, 4096, 128, causal, group="attention grouped heads", h=32, g=8)
    for n, whole in ((1000, 1024), (3001, 3072)):
        yield attention(16384 // whole, whole, 128, False, group="attention odd lengths", bar=None)
        yield attention(16384 // whole, n, 128, False, group="attention odd lengths", bar=0.9,
                        same_as=f"attention D128 {16384 // whole}x{whole} full")


def backwards():
    for d in (128, 64):
        for causal in (False, True):
            for b, n in SEQUENCES:
                yield attention_backward(b, n, d, causal)
    for d in (128, 64):
        for causal in (False, True):
            yield deterministic_backward(4, 4096, d, causal)


def deterministic_backward(b, n, d, causal):
    """Beside the one that adds to dQ from many blocks, and torch's where it is told to be deterministic."""
    c = attention_backward(b, n, d, causal, "attention_backward_deterministic", "attention backward deterministic", 0.7)
    c.same_as = c.name.replace("attention_backward_deterministic", "attention_backward")
    c.peers = {"cudnn": lazily("backward_cudnn", causal, deterministic=True), "flash": lazily("backward_flash", causal, deterministic=True)}
    return c


def attention_backward(b, n, d, causal, kernel="attention_backward", group=None, bar=1.0):
    c = attention(b, n, d, causal, kernel=kernel, group=group or f"attention backward D{d}", bar=bar)
    h = heads_of(d)

    def inputs():
        import peers
        s = {"q": normal(b, h, n, d), "k": normal(b, h, n, d), "v": normal(b, h, n, d), "go": normal(b, h, n, d)}
        return dict(peers.forward_for_backward(s, causal), scale=1 / math.sqrt(d))

    def errors(s, got):
        import peers
        return peers.backward_errors(s, got, causal)
    c.kernel, c.make, c.errors = ("attention_backward.tk", kernel), inputs, errors
    c.outputs, c.flops, c.bytes = ["dq", "dk", "dv"], c.flops * 2.5, 2 * b * h * n * d * 8
    c.peers = {"cudnn": lazily("backward_cudnn", causal), "flash": lazily("backward_flash", causal)}
    return c


def decoding():
    b, s, h, g, d = 64, 8192, 32, 8, 128

    def inputs():
        import torch
        lengths = torch.full((b,), s, device="cuda", dtype=torch.int32)
        return {"q": normal(b, h, d), "k": normal(b, g, s, d), "v": normal(b, g, s, d), "lengths": lengths,
                "scale": 1 / math.sqrt(d)}

    def errors(given, got):
        import peers
        return peers.decode_errors(given, got)
    yield Case(
        name=f"attention_decode {b} x {s}, {h}/{g} heads", group="decode", kernel=("attention_decode.tk", "attention_decode"),
        values=dict(B=b, H=h, G=g, S=s, D=d), make=inputs, outputs=["o"], errors=errors, peers={"cudnn": lazily("decode")},
        bytes=4 * b * g * s * d + 4 * b * h * d, tolerance=3e-2, bar=0.97, tiny=dict(B=2, H=4, G=2, S=70, D=16))


def serving():
    """Sequences of different lengths one after the other, and keys in pages, beside the plain kernels on as much."""
    for causal in (False, True):
        yield of_lengths([4096] * 4, 128, causal, f"attention D128 4x4096 {'causal' if causal else 'full'}")
    yield of_lengths([2048] * 8, 64, False, "attention D64 8x2048 full")
    yield of_lengths([1000, 3001, 77, 4096, 513, 2500, 1, 5196], 128, False, None)
    plain = next(decoding())
    b, h, g, s, d, page = *(plain.values[n] for n in "BHGSD"), 64

    def inputs():
        import torch
        pages = b * s // page
        return {"q": normal(b, h, d), "k": normal(pages, page, g, d), "v": normal(pages, page, g, d), "scale": 1 / math.sqrt(d),
                "table": torch.randperm(pages, device="cuda").view(b, s // page).to(torch.int32),
                "lengths": torch.full((b,), s, device="cuda", dtype=torch.int32)}

    def errors(given, got):
        import peers
        for bi, hi in peers.some_heads(b, h):
            k, v = (given[n][given["table"][bi].long(), :, hi * g // h].reshape(s, d).float() for n in "kv")
            weights = (given["q"][bi, hi].float() @ k.T * given["scale"]).softmax(-1)
            yield f"o[{bi}, {hi}]", got["o"][bi, hi].cuda().float(), weights @ v
    yield Case(
        name=f"attention_paged {b} x {s}, {h}/{g} heads", group="serving", kernel=("attention_decode.tk", "attention_paged"),
        values=dict(B=b, H=h, G=g, T=s // page, Q=b * s // page, PAGE=page, D=d), make=inputs, outputs=["o"], errors=errors,
        bytes=plain.bytes, tolerance=3e-2, tiny=dict(B=2, H=4, G=2, Q=12, T=5, PAGE=16, D=16), same_as=plain.name)


def of_lengths(lengths, d, causal, same_as):
    h, total = heads_of(d), sum(lengths)
    starts = [sum(lengths[:n]) for n in range(len(lengths) + 1)]

    def inputs():
        import torch
        places = torch.tensor(starts, device="cuda", dtype=torch.int32)
        return {"q": normal(total, h, d), "k": normal(total, h, d), "v": normal(total, h, d), "q_start": places,
                "k_start": places, "scale": 1 / math.sqrt(d)}

    def errors(s, got):
        import peers
        import torch
        for bi, hi in peers.some_heads(len(lengths), h):
            q, k, v = (s[n][starts[bi]:starts[bi + 1], hi].float() for n in "qkv")
            z = q @ k.T / math.sqrt(d)
            if causal:
                z = z.masked_fill(torch.ones_like(z, dtype=torch.bool).triu(1), -math.inf)
            yield f"o[{bi}, {hi}]", got["o"][starts[bi]:starts[bi + 1], hi].cuda().float(), z.softmax(-1) @ v
    kind = "causal" if causal else "full"
    same = len(set(lengths)) == 1
    return Case(
        name=f"attention_varlen D{d} {f'{len(lengths)}x{lengths[0]}' if same else f'{len(lengths)} lengths'} {kind}", group="serving",
        kernel=("attention.tk", "attention_varlen"),
        values=dict(B=len(lengths), H=h, G=h, T=total, U=total, D=d, causal=causal), make=inputs, outputs=["o", "lse"],
        errors=errors, flops=sum(4 * h * n * n * d / (2 if causal else 1) for n in lengths), bytes=8 * total * h * d,
        tolerance=3e-2, tiny=dict(B=2, T=0, U=0, H=2, G=1, D=16, causal=causal), same_as=same_as)


# Work bound by memory

def memory(name, kernel, values, make, call, outputs, traffic, tiny, bar=None, tolerance=1e-2, group="memory"):
    def errors(s, got):
        exact = call({n: v.float() if hasattr(v, "float") and v.is_floating_point() else v for n, v in s.items()})
        for n, x in zip(outputs, exact if isinstance(exact, tuple) else (exact,)):
            yield n, got[n].cuda().float(), x.float()

    def compiled(s):
        if "call" not in made:
            import peers
            made["call"] = peers.compiled(call)
        return made["call"](s)
    made = {}
    return Case(name=name, group=group, kernel=kernel, values=values, make=make, outputs=outputs, errors=errors,
                peers={"eager": call, "compile": compiled}, bytes=traffic, tolerance=tolerance, bar=bar, tiny=tiny)


def memories():
    import_f = lambda: __import__("torch").nn.functional
    for m, d, file in ((8192, 8192, "softmax"), (4096, 32768, "softmax_long")):
        sizes = dict(M=m, D=d) if file == "softmax" else dict(M=m, N=d)
        yield memory(f"softmax {m}x{d}", ("softmax.tk", file), sizes, lambda m=m, d=d: {"x": normal(m, d)},
                     lambda s: import_f().softmax(s["x"], -1), ["y"], 4 * m * d, dict.fromkeys(sizes, 33), bar=1.0)
    m, d = 16384, 4096
    yield memory("layernorm 16384x4096", ("norm.tk", "layernorm_forward"), dict(M=m, D=d),
                 lambda: {"x": normal(m, d), "w": normal(d), "b": normal(d), "eps": 1e-5},
                 lambda s: import_f().layer_norm(s["x"], (d,), s["w"], s["b"], 1e-5), ["y"], 4 * m * d, dict(M=3, D=33), bar=1.0)
    yield memory("rmsnorm 16384x4096", ("norm.tk", "rmsnorm_forward"), dict(M=m, D=d),
                 lambda: {"x": normal(m, d), "w": normal(d), "eps": 1e-6},
                 lambda s: import_f().rms_norm(s["x"], (d,), s["w"], 1e-6), ["y"], 4 * m * d, dict(M=3, D=33), bar=1.0)
    n = 8192 * 14336
    yield memory("gelu 8192x14336", ("elementwise.tk", "gelu_forward"), dict(N=n), lambda: {"x": normal(n)},
                 lambda s: import_f().gelu(s["x"], approximate="tanh"), ["y"], 4 * n, dict(N=5000), bar=1.1)
    yield memory("silu*mul 8192x14336", ("elementwise.tk", "swiglu"), dict(N=n), lambda: {"gate": normal(n), "up": normal(n)},
                 lambda s: import_f().silu(s["gate"]) * s["up"], ["y"], 6 * n, dict(N=5000), bar=1.0)
    yield memory("row sum 16384^2", ("reduce.tk", "sum_last"), dict(M=16384, N=16384), lambda: {"x": normal(16384, 16384)},
                 lambda s: s["x"].float().sum(-1), ["y"], 2 * 16384 ** 2, dict(M=5, N=300), bar=1.0, tolerance=1e-3)
    yield memory("transpose 16384^2", ("transpose.tk", "transpose"), dict(M=16384, N=16384), lambda: {"x": normal(16384, 16384)},
                 lambda s: s["x"].t().contiguous(), ["y"], 4 * 16384 ** 2, dict(M=65, N=70), bar=1.0)
    yield memory("cumsum 8192^2", ("scan.tk", "cumsum_rows"), dict(M=8192, N=8192),
                 lambda: {"x": normal(8192, 8192, dtype="float32")}, lambda s: s["x"].cumsum(-1), ["y"], 8 * 8192 ** 2,
                 dict(M=3, N=5000), bar=1.0, tolerance=1e-3)
    yield rotary()


def rotary():
    b, h, n, d = 8, 16, 4096, 128

    def inputs():
        angle = normal(n, d // 2, dtype="float32")
        return {"x": normal(b, h, n, d), "cosine": angle.cos(), "sine": angle.sin()}

    def turn(s):
        import torch
        lo, hi = s["x"][..., :d // 2], s["x"][..., d // 2:]
        return torch.cat((lo * s["cosine"] - hi * s["sine"], hi * s["cosine"] + lo * s["sine"]), -1).to(s["x"].dtype)
    return memory("rotary 8x16x4096x128", ("rotary.tk", "rotary"), dict(B=b, H=h, N=n, D=d), inputs, turn, ["y"],
                  4 * b * h * n * d, dict(B=1, H=2, N=17, D=32), bar=1.0)


# Kernels that the library does not have

def gated_product(n):
    def errors(s, got):
        import peers
        a = (peers.F.silu(s["x"].float()) * s["y"].float()).bfloat16().float()
        yield "c", got["c"].cuda().float(), a @ s["b"].float()
    c = gemm(n, n, n, group="novel", file="novel.tk", kernel="gemm_silu_mul", bar=0.9, name="silu(x)*y @ b")
    c.make = lambda: {"x": normal(n, n), "y": normal(n, n), "b": normal(n, n)}
    c.bytes += 2 * n * n
    c.peers, c.errors, c.same_as = {}, errors, f"gemm {n}^3"
    return c


def attention_with_bias(b, h, n, d):
    def biased(s, got):
        import peers
        for bi, hi in peers.some_heads(b, h):
            z = s["q"][bi, hi].float() @ s["k"][bi, hi].float().T / math.sqrt(d) + s["bias"][hi].float()
            yield f"o[{bi}, {hi}]", got["o"][bi, hi].cuda().float(), z.softmax(-1) @ s["v"][bi, hi].float()
    a = attention(b, n, d, False, group="novel", bar=0.9, name="attention with a bias tile")
    a.kernel, a.outputs, a.errors, a.peers = ("novel.tk", "attention_bias"), ["o"], biased, {}
    a.make = lambda: {"q": normal(b, h, n, d), "k": normal(b, h, n, d), "v": normal(b, h, n, d), "bias": normal(h, n, n),
                      "scale": 1 / math.sqrt(d)}
    a.values = dict(B=b, H=h, N=n, S=n, D=d)
    a.bytes += 2 * h * n * n
    a.tiny = dict(B=1, H=2, N=40, S=40, D=16)
    a.same_as = f"attention D{d} {b}x{n} full"
    return a


def novel_products(n):
    """Products whose operands are made in some way of their own, or that do more with the result, beside the plain one."""
    def case(kernel, make, exact, **sizes):
        def errors(s, got):
            yield "c", got["c"].cuda().float(), exact(s)
        c = gemm(n, n, n, group="novel", file="novel.tk", kernel=kernel, bar=0.9)
        c.make, c.errors, c.peers, c.same_as = make, errors, {}, f"gemm {n}^3"
        c.values, c.tiny = {**c.values, **sizes}, {**c.tiny, **dict.fromkeys(sizes, 50)}
        return c

    def torch():
        return __import__("torch")
    yield case("gemm_dequantised", lambda: {"a": normal(n, n), "scale": torch().rand(n, device="cuda") / 64,
                                            "b": torch().randint(-127, 128, (n, n), device="cuda", dtype=torch().int8)},
               lambda s: s["a"].float() @ (s["b"].float() * s["scale"]).bfloat16().float())
    yield case("gemm_gathered", lambda: {"a": normal(n, n), "b": normal(n, n),
                                         "row": torch().randint(0, n, (n,), device="cuda", dtype=torch().int32)},
               lambda s: s["a"][s["row"].long()].float() @ s["b"].float(), U=n)
    yield case("gemm_column_sums", lambda: {"a": normal(n, n), "b": normal(n, n), "sum": torch().zeros(n, device="cuda"),
                                            "squares": torch().zeros(n, device="cuda")},
               lambda s: s["a"].float() @ s["b"].float())


def novel_attentions(b, h, n, d):
    """Attention by other rules, beside the plain one."""
    def case(kernel, causal, make, weights):
        def errors(s, got):
            import peers
            for bi, hi in peers.some_heads(b, h):
                z = s["q"][bi, hi].float() @ s["k"][bi, hi].float().T / math.sqrt(d)
                yield f"o[{bi}, {hi}]", got["o"][bi, hi].cuda().float(), weights(s, z, bi, hi) @ s["v"][bi, hi].float()
        a = attention(b, n, d, causal, group="novel", bar=0.9, name=kernel)
        a.kernel, a.outputs, a.errors, a.peers = ("novel.tk", kernel), ["o"], errors, {}
        a.make = lambda: {"q": normal(b, h, n, d), "k": normal(b, h, n, d), "v": normal(b, h, n, d), "scale": 1 / math.sqrt(d),
                          **make(__import__("torch"))}
        a.values = dict(B=b, H=h, N=n, D=d, **({} if causal else {"S": n}))
        a.tiny = dict(B=1, H=2, N=40, D=16, **({} if causal else {"S": 40}))
        a.same_as = f"attention D{d} {b}x{n} {'causal' if causal else 'full'}"
        return a

    def fallen(s, z, bi, hi):
        import torch
        at = torch.arange(n, device=z.device)
        away = at[:, None] - at[None, :]
        return (z - away * s["slope"][hi]).masked_fill(away < 0, -math.inf).softmax(-1)
    yield case("attention_alibi", True, lambda t: {"slope": t.rand(h, device="cuda") / 16}, fallen)
    yield case("attention_sigmoid", False, lambda t: {"shift": -math.log(n)},
               lambda s, z, bi, hi: (z + s["shift"]).sigmoid().bfloat16().float())
    yield case("attention_masked", False, lambda t: {"there": t.randint(0, 2, (b, n), device="cuda", dtype=t.int8)},
               lambda s, z, bi, hi: z.masked_fill(s["there"][bi] == 0, -math.inf).softmax(-1))


def novel():
    yield gated_product(8192)
    yield attention_with_bias(4, 16, 4096, 128)
    yield from novel_products(8192)
    yield from novel_attentions(4, 16, 4096, 128)


def all_cases():
    return [*gemms(), *attentions(), *backwards(), *decoding(), *serving(), *memories(), *novel()]
