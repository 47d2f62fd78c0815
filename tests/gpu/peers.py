"""What tkc is measured against, as calls on a set of inputs (a dict by the names of the tkc kernel's parameters), and the
references that results are compared with. Everything here needs torch; a peer that is not there answers None."""
import math

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

F = torch.nn.functional


def normal(*shape, dtype=torch.bfloat16, scale=1.0):
    return (torch.randn(*shape, device="cuda", dtype=torch.float32) * scale).to(dtype)


# Matrix products

def transposed(x, flag):
    return x.mT if flag else x


def result(s, a, b):
    """Where a product of this set of inputs goes: each set has its own, as tkc's have. Freed and allocated anew, all would
    go to one place, which stays in the L2."""
    if "peer's result" not in s:
        s["peer's result"] = torch.empty(*a.shape[:-1], b.shape[-1], dtype=a.dtype, device="cuda")
    return s["peer's result"]


def product(ta=False, tb=False):
    def call(s):
        a, b = transposed(s["a"], ta), transposed(s["b"], tb)
        return torch.matmul(a, b, out=result(s, a, b))
    return call


def exact_product(s, ta=False, tb=False):
    exact = torch.float32 if s["a"].is_floating_point() else torch.float64
    return (transposed(s["a"].to(exact), ta) @ transposed(s["b"].to(exact), tb)).float()


def tf32_product(s):
    torch.set_float32_matmul_precision("high")
    try:
        return torch.matmul(s["a"], s["b"])
    finally:
        torch.set_float32_matmul_precision("highest")


def scaled_product(fast):
    """fp8, B as N×K: one scale for each tensor, or one for each row of A and of B."""
    def call(s):
        scale_a, scale_b = s["scale_a"], s["scale_b"]
        if not torch.is_tensor(scale_a):
            scale_a = scale_b = one()
        elif scale_a.dim() == 1:
            scale_a, scale_b = scale_a[:, None], scale_b[None, :]
        return torch._scaled_mm(s["a"], s["b"].t(), scale_a, scale_b, out_dtype=torch.bfloat16, use_fast_accum=fast)
    return call


ONE = {}


def one():
    if "one" not in ONE:
        ONE["one"] = torch.ones((), device="cuda", dtype=torch.float32)
    return ONE["one"]


def int8_product(s):
    return torch._int_mm(s["a"], s["b"].t())


def triton_product():
    try:
        import triton_gemm
    except ImportError:
        return None
    return lambda s: triton_gemm.matmul(s["a"], s["b"], result(s, s["a"], s["b"]))


# Attention

def cudnn(causal=False, gqa=False):
    def call(s):
        with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
            return F.scaled_dot_product_attention(s["q"], s["k"], s["v"], is_causal=causal, enable_gqa=gqa)
    return call


def flash(causal=False, gqa=False):
    def call(s):
        with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
            return F.scaled_dot_product_attention(s["q"], s["k"], s["v"], is_causal=causal, enable_gqa=gqa)
    return call


def decode(s):
    q = s["q"]
    with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
        return F.scaled_dot_product_attention(q[:, :, None, :], s["k"], s["v"], enable_gqa=True)


def backward(backend, causal, deterministic=False):
    """The backward pass alone: the forward is run when a set is first met, and its graph is kept."""
    kept = {}

    def gradients(s):
        if id(s) not in kept:
            leaves = [s[n].detach().requires_grad_() for n in ("q", "k", "v")]
            with sdpa_kernel(backend):
                o = F.scaled_dot_product_attention(*leaves, is_causal=causal)
            kept[id(s)] = (o, leaves, s)
        o, leaves, _ = kept[id(s)]
        return torch.autograd.grad(o, leaves, s["go"], retain_graph=True)

    def call(s):
        torch.use_deterministic_algorithms(deterministic)
        try:
            return gradients(s)
        finally:
            torch.use_deterministic_algorithms(False)
    return call


def backward_cudnn(causal, deterministic=False):
    return backward(SDPBackend.CUDNN_ATTENTION, causal, deterministic)


def backward_flash(causal, deterministic=False):
    return backward(SDPBackend.FLASH_ATTENTION, causal, deterministic)


def scores(q, k, causal, first):
    s = (q @ k.T) / math.sqrt(q.shape[-1])
    if causal:
        n = torch.arange(first, first + q.shape[0], device=q.device)
        s = s.masked_fill(n[:, None] < torch.arange(k.shape[0], device=q.device)[None, :], -math.inf)
    return s


def exact_attention(q, k, v, causal):
    """One head in f32, some rows at a time: the output and the log-sum-exp of each row."""
    q, k, v = q.float(), k.float(), v.float()
    out, lse = [], []
    for first in range(0, q.shape[0], 2048):
        s = scores(q[first:first + 2048], k, causal, first)
        out.append(torch.softmax(s, -1) @ v)
        lse.append(torch.logsumexp(s, -1))
    return torch.cat(out), torch.cat(lse)


def some_heads(b, h):
    """First, last and one in between."""
    return sorted({(0, 0), (b - 1, h - 1), (b // 2, h // 3)})


def attention_errors(s, got, causal):
    """Pairs of result and reference for a few heads."""
    b, h = s["q"].shape[:2]
    group = h // s["k"].shape[1]
    for bi, hi in some_heads(b, h):
        o, lse = exact_attention(s["q"][bi, hi], s["k"][bi, hi // group], s["v"][bi, hi // group], causal)
        yield f"o[{bi}, {hi}]", got["o"][bi, hi].cuda().float(), o
        yield f"lse[{bi}, {hi}]", got["lse"][bi, hi].cuda().float(), lse


def decode_errors(s, got):
    b, h = s["q"].shape[:2]
    group = h // s["k"].shape[1]
    for bi, hi in some_heads(b, h):
        o, _ = exact_attention(s["q"][bi, hi][None], s["k"][bi, hi // group], s["v"][bi, hi // group], False)
        yield f"o[{bi}, {hi}]", got["o"][bi, hi].cuda().float(), o[0]


def backward_errors(s, got, causal):
    """Gradients in float64, and what float32 may be off where the terms of dS cancel: the first row of causal attention has no
    gradient at all, and what is found there is the rounding of its terms."""
    b, h = s["q"].shape[:2]
    group = h // s["k"].shape[1]
    if group != 1:
        raise ValueError("references of grouped heads are not written")
    for bi, hi in some_heads(b, h):
        # What the forward pass rounded is given to both: where gradients cancel, its rounding is all that is left of them.
        q, k, v, o, go = (s[n][bi, hi].double() for n in ("q", "k", "v", "o", "go"))
        lse = s["lse"][bi, hi].double()
        eps, scale = torch.finfo(torch.float32).eps, 1 / math.sqrt(q.shape[-1])
        dq, dk, dv = [], torch.zeros_like(k), torch.zeros_like(v)
        dq_off, dk_off = [], torch.zeros_like(k)
        for first in range(0, q.shape[0], 2048):
            rows = slice(first, first + 2048)
            p = torch.exp(scores(q[rows], k, causal, first) - lse[rows, None])
            dv += p.T @ go[rows]
            ds = p * (go[rows] @ v.T - (go[rows] * o[rows]).sum(-1, keepdim=True)) * scale
            dq.append(ds @ k)
            dk += ds.T @ q[rows]
            off = p * (go[rows].abs() @ v.abs().T + (go[rows] * o[rows]).abs().sum(-1, keepdim=True)) * (scale * eps)
            dq_off.append(off @ k.abs())
            dk_off += off.T @ q[rows].abs()
        for name, exact, off in (("dq", torch.cat(dq), torch.cat(dq_off)), ("dk", dk, dk_off), ("dv", dv, 0.0)):
            yield f"{name}[{bi}, {hi}]", got[name][bi, hi].cuda().double(), exact, off


def forward_for_backward(s, causal):
    """Adds what the forward pass leaves for the backward: the output and the log-sum-exp, by tkc's convention."""
    b, h = s["q"].shape[:2]
    o, lse = torch.empty_like(s["q"]), torch.empty(s["q"].shape[:3], device="cuda")
    for bi in range(b):
        for hi in range(h):
            out, norm = exact_attention(s["q"][bi, hi], s["k"][bi, hi], s["v"][bi, hi], causal)
            o[bi, hi], lse[bi, hi] = out.to(o.dtype), norm
    return dict(s, o=o, lse=lse)


def compiled(call):
    """torch.compile of a call, made at its first use."""
    made = []

    def run(s):
        if not made:
            made.append(torch.compile(call, dynamic=False))
        return made[0](s)
    return run
