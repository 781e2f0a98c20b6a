"""Ours and the PyTorch peer in turn on one GPU: a table beside the gates, and gpu.json.

    python3 gpu.py --bench <longer_gpu_bench> --results <folder> [--shapes A,B] [--ids zipf,uniform] [--only train|serve] [--no-peer]

Floating-point operations are those of matrix products and attention, a multiply-add as 2, backward as twice forward, the last
layer cut to the rows that feed the head. Bytes are not counted; the share of copy bandwidth is that of the parts of a step that
must move: rows read, gradients of rows, touched rows and their state, weights and moments.
"""

import argparse
import datetime
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent

# name: (requests, events, d, merge, heads, queries, self layers, candidates)
SHAPES = {
    "paper": (256, 2000, 32, 8, 4, 100, 3, 1),
    "wide": (128, 2000, 64, 8, 8, 100, 3, 1),
    "long": (32, 10000, 32, 4, 2, 500, 3, 1),
    "packed": (256, 2000, 32, 8, 4, 100, 3, 20),
    "ragged": (256, 2000, 32, 8, 4, 100, 3, 1),
    "tiny": (3, 40, 16, 4, 2, 4, 1, 2),
}
GLOBALS = 4
STEP_GATES = {"paper": 4.2, "wide": 2.9, "long": 3.0}  # times faster than the peer
MEMORY_GATES = {"paper": 0.33, "long": 0.2}  # of the peer's
PACKED_GATE, RAGGED_GATE = 1.25, 1.1
ENCODE_GATES = {1: 1.8, 256: 3.5}  # 256: beside the peer's best per user
SCORE_GATES = {100: 3.7, 500: 3.3, 1000: 3.0, 4000: 2.4}


def layer_flops(width, rows, queries, keys_seen):
    """Keys and values of `rows` new rows; everything else of `queries`, which see `keys_seen` keys in all."""
    return 2 * width * (2 * width * rows + (2 * width + 8 * width) * queries) + 4 * width * keys_seen


def step_flops(name, events=None):
    requests, length, d, merge, _, k, layers, candidates = SHAPES[name]
    events = requests * length if events is None else events
    width, side = d * merge, GLOBALS + candidates
    groups = events / requests / merge
    queries = min(k, groups)
    per_event = 2 * (3 * d * 2 * d + 2 * d * d) + 2 * 12 * d * d + 4 * merge * d
    seen = lambda first, count: count * first + count * (count + 1) / 2
    one = 0.0
    for layer in range(1 + layers):
        rows = groups if layer == 0 else queries
        own = 0 if layer == layers else queries
        sees = seen(rows - own, own) + GLOBALS * rows + candidates * (rows + GLOBALS + 1)
        one += layer_flops(width, rows + side, own + side, sees)
    one += 2 * width * width * (GLOBALS + 2 * candidates)
    return 3 * (events * per_event + requests * one)


def step_bytes(name, events):
    """Rows read in fp32 and their gradients written and read, touched rows (all at most) and state read and written."""
    _, _, d, *_ = SHAPES[name]
    return events * d * 4 * (1 + 2 + 2) + events * 8


def run(command):
    """Lines of JSON that a program prints; what it says besides goes through."""
    print("+", " ".join(map(str, command)), flush=True)
    rows = []
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("{"):
                rows.append(json.loads(line))
            else:
                print(line, end="")
    if process.returncode != 0:
        sys.exit(f"gpu.py: {command[0]} ended with status {process.returncode}")
    return rows


def peer(*arguments):
    return run([sys.executable, HERE / "peers" / "longer_torch.py", *arguments])


def machine():
    query = "name,driver_version,clocks.sm,clocks.mem,clocks.max.sm,power.limit,memory.total"
    smi = subprocess.run(["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader"], capture_output=True, text=True, check=True)
    git = subprocess.run(["git", "-C", HERE, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "gpu": dict(zip(query.split(","), (value.strip() for value in smi.stdout.splitlines()[0].split(",")))),
        "revision": git.stdout.strip() or "unknown",
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        **ceilings(),
    }


def ceilings():
    """Copy bandwidth and the rate of a large bf16 product on random data, as PyTorch reaches them."""
    import torch

    def best(work, times=20):
        samples = []
        for _ in range(times):
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            work()
            end.record()
            end.synchronize()
            samples.append(begin.elapsed_time(end) / 1000)
        return min(samples)

    a = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
    b = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
    product = best(lambda: a @ b)
    source = torch.randn(1 << 29, device="cuda")
    target = torch.empty_like(source)
    copy = best(lambda: target.copy_(source))
    result = {"bf16_tflops": 2 * 8192**3 / product * 1e-12, "copy_tb_s": 2 * source.nbytes / copy * 1e-12, "torch": torch.__version__}
    del a, b, source, target
    torch.cuda.empty_cache()
    return result


def mark(holds):
    return "holds" if holds else "MISSED"


def train(arguments, about):
    rows = []
    shapes = arguments.shapes.split(",")
    for shape in shapes:
        rows += [{"side": "ours", **r} for r in run([arguments.bench, "train", "--shapes", shape, "--ids", arguments.ids, "--steps", arguments.steps])]
        if not arguments.no_peer and shape in ("paper", "wide", "long", "packed"):
            rows += [{"side": "peer", "what": "step", **r} for r in peer("train", "--shapes", shape, "--ids", arguments.ids)]
    found = lambda side, what, shape, ids: next((r for r in rows if r["side"] == side and r["what"] == what and r["shape"] == shape and r["ids"] == ids), None)
    print(f"\n{'shape':8}{'ids':9}{'step ms':>9}{'p95':>8}{'+lookup':>9}{'ready ms':>9}{'users/s':>9}{'GB':>7}{'peer ms':>9}{'GB':>7}{'ratio':>7}{'gate':>7}{'':7}{'of peak':>8}{'of copy':>8}")
    for shape in shapes:
        for ids in arguments.ids.split(","):
            ours, host = found("ours", "step", shape, ids), found("ours", "step from host memory, lookup included", shape, ids)
            ready = found("ours", "making a batch ready (host time)", shape, ids)
            other = found("peer", "step", shape, ids)
            seconds = ours["median_ms"] / 1000
            ours["share_of_bf16_peak"] = step_flops(shape, ours["events"]) / seconds / (about["bf16_tflops"] * 1e12)
            ours["share_of_copy"] = step_bytes(shape, ours["events"]) / seconds / (about["copy_tb_s"] * 1e12)
            gate, ratio, holds, theirs = "", "–", "", ("–", "–")
            if other:
                theirs = (f"{other['median_ms']:.3f}", f"{other['memory_gb']:.2f}")
                ours["ratio"] = other["median_ms"] / ours["median_ms"]
                ours["memory_ratio"] = ours["memory_gb"] / other["memory_gb"]
                ratio = f"{ours['ratio']:.2f}"
                if shape in STEP_GATES:
                    gate = f"{STEP_GATES[shape]:.1f}"
                    holds = mark(ours["ratio"] >= STEP_GATES[shape] and ours["memory_ratio"] <= MEMORY_GATES.get(shape, 9))
            print(f"{shape:8}{ids:9}{ours['median_ms']:9.3f}{ours['p95_ms']:8.3f}{host['median_ms']:9.3f}{ready['median_ms']:9.2f}"
                  f"{ours['requests_per_s']:9.0f}{ours['memory_gb']:7.2f}{theirs[0]:>9}{theirs[1]:>7}{ratio:>7}{gate:>7} {holds:7}"
                  f"{ours['share_of_bf16_peak']:7.1%}{ours['share_of_copy']:8.1%}")
    for ids in arguments.ids.split(","):
        paper, packed, ragged = (found("ours", "step", s, ids) for s in ("paper", "packed", "ragged"))
        if paper and packed:
            cost = packed["median_ms"] / paper["median_ms"]
            print(f"packed / paper, {ids}: {cost:.3f} (gate {PACKED_GATE}) {mark(cost <= PACKED_GATE)}")
        if paper and ragged:
            cost = ragged["median_ms"] / ragged["events"] * paper["events"] / paper["median_ms"]
            print(f"ragged time per event / full, {ids}: {cost:.3f} (gate {RAGGED_GATE}) {mark(cost <= RAGGED_GATE)}")
    for shape in shapes:
        for ids in arguments.ids.split(","):
            stages = [r for r in rows if r["what"] == "stage" and r["shape"] == shape and r["ids"] == ids]
            print(f"\nstages of {shape}, {ids}, enqueued one by one (ms a step):")
            for stage in sorted(stages, key=lambda r: -r["ms"]):
                print(f"  {stage['stage']:32}{stage['ms']:9.4f}  in {stage['calls']:.0f} calls")
    return rows


def serve(arguments):
    rows = [{"side": "ours", **r} for r in run([arguments.bench, "serve", "--steps", arguments.steps])]
    if not arguments.no_peer:
        rows += [{"side": "peer", **r} for r in peer("serve", "--shapes", "paper")]
    find = lambda side, what, key, n: next((r for r in rows if r["side"] == side and r["what"] == what and r.get(key) == n), None)
    print(f"\n{'':22}{'ours us':>9}{'p95':>9}{'peer us':>9}{'ratio':>8}{'gate':>7}")
    for what, key, counts, gates in (("encode", "users", (1, 64, 256), ENCODE_GATES), ("score", "candidates", (100, 500, 1000, 4000), SCORE_GATES)):
        per_user = [r["median_ms"] / r["users"] for r in rows if r["side"] == "peer" and r["what"] == "encode"]
        for n in counts:
            ours, other = find("ours", what, key, n), find("peer", what, key, n)
            base = other["median_ms"] if other else 0
            if what == "encode" and n > 1 and per_user:
                base = min(per_user) * n
            ours["ratio"] = base / ours["median_ms"] if base else None
            gate = gates.get(n)
            verdict = mark(ours["ratio"] >= gate) if gate and base else ""
            print(f"{what:8}{key:11}{n:>5}{1000 * ours['median_ms']:7.1f}{1000 * ours['p95_ms']:9.1f}{1000 * base:9.1f}"
                  f"{ours['ratio'] or 0:8.2f}{gate or '':>7} {verdict}")
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, type=pathlib.Path)
    parser.add_argument("--results", required=True, type=pathlib.Path)
    parser.add_argument("--shapes", default="paper,wide,long,packed,ragged")
    parser.add_argument("--ids", default="zipf,uniform")
    parser.add_argument("--steps", default="50")
    parser.add_argument("--only", choices=["train", "serve"])
    parser.add_argument("--no-peer", action="store_true")
    arguments = parser.parse_args()
    about = machine()
    print(json.dumps(about, indent=1))
    document = {**about, "steps": int(arguments.steps), "train": [], "serve": []}
    file = arguments.results / "gpu.json"
    for part, work in (("train", lambda: train(arguments, about)), ("serve", lambda: serve(arguments))):
        if arguments.only in (None, part):
            document[part] = work()
            file.write_text(json.dumps(document, indent=1) + "\n")
    print(f"\nwritten to {file}")


if __name__ == "__main__":
    main()
