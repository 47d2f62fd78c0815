"""A matrix product in Triton as one writes it by hand for Hopper: a persistent grid, tiles described by TMA descriptors, the
result leaving in two halves. bf16, any order of launch; the better of two numbers of stages is taken at the first call."""
import torch
import triton
import triton.language as tl

BM, BN, BK, GROUP = 128, 256, 64, 8
STAGES = (3, 4)


@triton.jit
def tile_of(number, rows, columns, GROUP: tl.constexpr):
    """Tiles in groups of rows, so that neighbours in time share rows of B in the L2."""
    in_group = GROUP * columns
    first = number // in_group * GROUP
    height = tl.minimum(rows - first, GROUP)
    return first + number % in_group % height, number % in_group // height


@triton.jit
def product(a, b, c, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, GROUP: tl.constexpr, BLOCKS: tl.constexpr):
    a_map = tl.make_tensor_descriptor(a, [M, K], [K, 1], [BM, BK])
    b_map = tl.make_tensor_descriptor(b, [K, N], [N, 1], [BK, BN])
    c_map = tl.make_tensor_descriptor(c, [M, N], [N, 1], [BM, BN // 2])
    rows, columns = tl.cdiv(M, BM), tl.cdiv(N, BN)
    for number in tl.range(tl.program_id(0), rows * columns, BLOCKS, flatten=True):
        i, j = tile_of(number, rows, columns, GROUP)
        sums = tl.zeros((BM, BN), tl.float32)
        for k in range(tl.cdiv(K, BK)):
            sums = tl.dot(a_map.load([i * BM, k * BK]), b_map.load([k * BK, j * BN]), sums)
        halves = tl.permute(tl.reshape(sums, (BM, 2, BN // 2)), (0, 2, 1))
        left, right = tl.split(halves)
        c_map.store([i * BM, j * BN], left.to(tl.bfloat16))
        c_map.store([i * BM, j * BN + BN // 2], right.to(tl.bfloat16))


BEST = {}


def launch(a, b, c, stages):
    (m, k), n = a.shape, b.shape[1]
    blocks = torch.cuda.get_device_properties(0).multi_processor_count
    tiles = triton.cdiv(m, BM) * triton.cdiv(n, BN)
    product[(min(blocks, tiles),)](a, b, c, m, n, k, BM, BN, BK, GROUP, blocks, num_stages=stages, num_warps=8)
    return c


def matmul(a, b, c):
    triton.set_allocator(lambda size, alignment, stream: torch.empty(size, device="cuda", dtype=torch.int8))
    key = (a.shape, b.shape)
    if key not in BEST:
        BEST[key] = min(STAGES, key=lambda s: triton.testing.do_bench(lambda: launch(a, b, c, s), warmup=5, rep=30))
    return launch(a, b, c, BEST[key])
