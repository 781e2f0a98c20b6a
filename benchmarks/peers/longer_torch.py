"""LONGER on PyTorch as a strong user writes it: the peer of the CUDA backend.

The model is native/docs/model.md in its default mode (CACHEABLE, GLOBALS, recent queries). What makes it fast: one CUDA
graph over the whole step, torch.compile, bf16 autocast, attention inside groups as products and sums that the compiler
fuses, scaled_dot_product_attention for the long rows, the last layer cut to the rows that feed the head, fused AdamW,
row-wise Adagrad on the touched rows only. Histories have equal lengths, so that padding costs it nothing.

    python3 longer_torch.py train --shapes paper,wide,long --out results.json
    python3 longer_torch.py serve --shape paper --out results.json
    python3 longer_torch.py logits --model <folder> --batch <batch.safetensors>
"""

import argparse
import dataclasses
import json
import math
import statistics
import struct
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

EPSILON = 1e-5
TIME_BUCKETS = 32
ACTIONS = 16


@dataclasses.dataclass(frozen=True)
class Shape:
    """One workload of the tables: B requests of L events and C candidates, G = cls + 1 globals."""

    name: str
    requests: int
    events: int
    d: int
    merge: int
    heads: int
    queries: int
    self_layers: int
    candidates: int = 1
    cls: int = 3
    items: int = 1_000_000
    inner_heads: int = 2

    @property
    def width(self):
        return self.d * self.merge

    @property
    def groups(self):
        return self.events // self.merge

    @property
    def globals(self):
        return self.cls + 1


SHAPES = {
    s.name: s
    for s in [
        Shape("paper", 256, 2000, 32, 8, 4, 100, 3),
        Shape("wide", 128, 2000, 64, 8, 8, 100, 3),
        Shape("long", 32, 10000, 32, 4, 2, 500, 3),
        Shape("packed", 256, 2000, 32, 8, 4, 100, 3, candidates=20),
    ]
}


# ---- safetensors --------------------------------------------------------------------------------------------------


def read_safetensors(path):
    """name → NumPy array, read as native/docs/model-format.md says."""
    types = {"F32": np.float32, "F64": np.float64, "I64": np.int64, "I32": np.int32, "U8": np.uint8}
    raw = np.memmap(path, dtype=np.uint8, mode="r")
    (size,) = struct.unpack("<Q", raw[:8].tobytes())
    header = json.loads(raw[8 : 8 + size].tobytes())
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        data = raw[8 + size + begin : 8 + size + end].tobytes()
        tensors[name] = np.frombuffer(data, dtype=types[entry["dtype"]]).reshape(entry["shape"])
    return tensors


# ---- the model ----------------------------------------------------------------------------------------------------


def linear_shapes(s):
    """Names and shapes of the dense parameters, in the arena order of model.md."""
    d, width, x = s.d, s.width, 2 * s.d
    shapes = {
        "event_encoder.position.weight": (s.events, x),
        "event_encoder.time_bucket.weight": (TIME_BUCKETS + 1, d),
        "event_encoder.fc1.weight": (2 * d, x + d),
        "event_encoder.fc1.bias": (2 * d,),
        "event_encoder.fc2.weight": (d, 2 * d),
        "event_encoder.fc2.bias": (d,),
        "token_merge.slot.weight": (s.merge, d),
    }
    block(shapes, "token_merge.inner.0.", d)
    shapes["global.cls"] = (s.cls, width)
    shapes["global.user_time_bucket.weight"] = (TIME_BUCKETS + 1, d)
    shapes["global.user.weight"] = (width, d)
    shapes["global.user.bias"] = (width,)
    shapes["global.candidate.weight"] = (width, 2 * d)
    shapes["global.candidate.bias"] = (width,)
    for layer in range(1 + s.self_layers):
        block(shapes, f"layers.{layer}.", width)
    shapes["head.ln.weight"] = shapes["head.ln.bias"] = (width,)
    shapes["head.fc1.weight"] = (width, (s.globals + 1) * width)
    shapes["head.fc1.bias"] = (width,)
    shapes["head.fc2.weight"] = (1, width)
    shapes["head.fc2.bias"] = (1,)
    shapes["table.action.weight"] = (ACTIONS + 1, d)
    return shapes


def block(shapes, prefix, width):
    for norm in ("ln1", "ln2"):
        shapes[prefix + norm + ".weight"] = shapes[prefix + norm + ".bias"] = (width,)
    for name, out, into in (("qkv", 3, 1), ("out", 1, 1), ("fc1", 4, 1), ("fc2", 1, 4)):
        shapes[prefix + name + ".weight"] = (out * width, into * width)
        shapes[prefix + name + ".bias"] = (out * width,)


def random_parameters(s, device):
    generator = torch.Generator(device="cpu").manual_seed(1)
    parameters = {}
    for name, shape in linear_shapes(s).items():
        if name.endswith("bias"):
            value = torch.zeros(shape)
        elif ".ln" in name:
            value = torch.ones(shape)
        elif len(shape) == 2 and not name.startswith(("event_encoder.p", "event_encoder.t", "table", "global.c", "token_merge.s")):
            value = torch.randn(shape, generator=generator) / math.sqrt(shape[1])
        else:
            value = 0.05 * torch.randn(shape, generator=generator)
        parameters[name] = torch.nn.Parameter(value.to(device))
    return parameters


class Longer:
    """The forward pass over equal lengths. `p`: parameters by name."""

    def __init__(self, s, p, device):
        self.s, self.p = s, p
        rows = s.groups + s.globals + s.candidates
        first = s.groups - min(s.queries, s.groups)
        order = torch.arange(rows, device=device)
        # A candidate sees merged rows, globals and itself; everything else sees what is not newer.
        visible = order[:, None] >= order[None, :]
        side = s.groups + s.globals
        candidates = order >= side
        visible &= ~(candidates[:, None] & candidates[None, :]) | torch.eye(rows, dtype=torch.bool, device=device)
        self.cross_mask = visible[first:]
        self.self_mask = visible[first:, first:]
        self.head_rows = s.globals + s.candidates

    def norm(self, name, x):
        return F.layer_norm(x, x.shape[-1:], self.p[name + ".weight"], self.p[name + ".bias"], EPSILON)

    def linear(self, name, x):
        return F.linear(x, self.p[name + ".weight"], self.p[name + ".bias"])

    def inner_block(self, name, z):
        """Attention among the K slots of a group: small enough for products and sums that fuse."""
        heads = self.s.inner_heads
        q, k, v = self.linear(name + ".qkv", self.norm(name + ".ln1", z)).unflatten(-1, (3, heads, -1)).unbind(2)
        scores = (q.unsqueeze(2) * k.unsqueeze(1)).sum(-1, dtype=torch.float32) / math.sqrt(q.shape[-1])
        weights = scores.softmax(2).to(v.dtype)
        mixed = (weights.unsqueeze(-1) * v.unsqueeze(1)).sum(2)
        z = z + self.linear(name + ".out", mixed.flatten(-2))
        return z + self.linear(name + ".fc2", F.gelu(self.linear(name + ".fc1", self.norm(name + ".ln2", z)), approximate="tanh"))

    def merged(self, items, actions, buckets):
        """items [B, L, d] rows of the item table → [B, S, D]."""
        s = self.s
        x = torch.cat((items, F.embedding(actions, self.p["table.action.weight"])), -1)
        positions = self.p["event_encoder.position.weight"].flip(0)  # NEWEST: position 0 is the newest event
        x = x + positions
        x = torch.cat((x, F.embedding(buckets, self.p["event_encoder.time_bucket.weight"])), -1)
        e = self.linear("event_encoder.fc2", F.gelu(self.linear("event_encoder.fc1", x), approximate="tanh"))
        z = e.reshape(-1, s.merge, s.d) + self.p["token_merge.slot.weight"]
        return self.inner_block("token_merge.inner.0", z).reshape(items.shape[0], s.groups, s.width)

    def attend(self, q, k, v, mask):
        heads = self.s.heads
        q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(-2)

    def layer(self, name, rows, outputs, mask):
        """Rows [B, R, D]; the last `outputs` of them are queries."""
        width = rows.shape[-1]
        h = self.norm(name + ".ln1", rows)
        weight, bias = self.p[name + ".qkv.weight"], self.p[name + ".qkv.bias"]
        if outputs == rows.shape[1]:
            q, k, v = F.linear(h, weight, bias).chunk(3, -1)
        else:
            q = F.linear(h[:, -outputs:], weight[:width], bias[:width])
            k, v = F.linear(h, weight[width:], bias[width:]).chunk(2, -1)
        z = rows[:, -outputs:] + self.linear(name + ".out", self.attend(q, k, v, mask[-outputs:]))
        hidden = F.gelu(self.linear(name + ".fc1", self.norm(name + ".ln2", z)), approximate="tanh")
        return z + self.linear(name + ".fc2", hidden)

    def logits(self, items, actions, buckets, user_buckets, candidate_items, candidate_actions):
        """Logits [B, C]."""
        s = self.s
        requests = items.shape[0]
        merged = self.merged(items, actions, buckets)
        user = self.linear("global.user", F.embedding(user_buckets, self.p["global.user_time_bucket.weight"]))
        candidates = torch.cat((candidate_items, F.embedding(candidate_actions, self.p["table.action.weight"])), -1)
        rows = torch.cat(
            (
                merged,
                self.p["global.cls"].to(merged.dtype).expand(requests, -1, -1),
                user.unsqueeze(1),
                self.linear("global.candidate", candidates),
            ),
            1,
        )
        outputs = self.cross_mask.shape[0]
        for i in range(1 + s.self_layers):
            mask = self.cross_mask if i == 0 else self.self_mask
            rows = self.layer(f"layers.{i}", rows, self.head_rows if i == s.self_layers else outputs, mask)
        y = self.norm("head.ln", rows)
        shared = y[:, : s.globals].flatten(1).unsqueeze(1).expand(-1, s.candidates, -1)
        hidden = F.gelu(self.linear("head.fc1", torch.cat((shared, y[:, s.globals :]), -1)), approximate="tanh")
        return self.linear("head.fc2", hidden).squeeze(-1)


# ---- inputs -------------------------------------------------------------------------------------------------------


def zipf_ids(count, rows, exponent, device):
    """`count` row numbers with P(rank r) ∝ r^-exponent, ranks scattered over the table."""
    ranks = torch.arange(1, rows + 1, dtype=torch.float64)
    cumulative = torch.cumsum(ranks**-exponent, 0)
    generator = torch.Generator().manual_seed(7)
    drawn = torch.rand(count, generator=generator, dtype=torch.float64) * cumulative[-1]
    found = torch.searchsorted(cumulative, drawn).clamp_(max=rows - 1)
    return torch.randperm(rows, generator=generator)[found].to(device)


def inputs(s, ids, device):
    """A batch on the device: item rows by number, the rest by id."""
    torch.manual_seed(3)
    events = s.requests * s.events
    total = events + s.requests * s.candidates
    if ids == "zipf":
        rows = zipf_ids(total, s.items, 1.05, device)
    else:
        rows = torch.randint(s.items, (total,), device=device)
    draw = lambda high, *size: torch.randint(high, size, device=device)
    return {
        "rows": rows,
        "actions": draw(ACTIONS, s.requests, s.events) + 1,
        "buckets": draw(TIME_BUCKETS, s.requests, s.events),
        "user_buckets": draw(TIME_BUCKETS, s.requests),
        "candidate_actions": draw(ACTIONS, s.requests, s.candidates) + 1,
        "labels": torch.rand(s.requests, s.candidates, device=device).round(),
    }


# ---- one training step --------------------------------------------------------------------------------------------


class Training:
    def __init__(self, s, ids, compiled, device):
        self.s, self.device = s, device
        self.table = 0.05 * torch.randn(s.items, s.d, device=device)
        self.sums = torch.zeros(s.items, device=device)
        self.p = random_parameters(s, device)
        self.model = Longer(s, self.p, device)
        self.batch = inputs(s, ids, device)
        self.optimizer = torch.optim.AdamW(list(self.p.values()), lr=1e-3, fused=True, capturable=True)
        self.fixed_bytes = self.table.nbytes + self.sums.nbytes
        self.loss_of = torch.compile(self._loss, dynamic=False) if compiled else self._loss

    def _loss(self, gathered):
        s, b = self.s, self.batch
        events = s.requests * s.events
        items = gathered[:events].view(s.requests, s.events, s.d)
        candidates = gathered[events:].view(s.requests, s.candidates, s.d)
        with torch.autocast("cuda", dtype=torch.bfloat16):
            logits = self.model.logits(items, b["actions"], b["buckets"], b["user_buckets"], candidates, b["candidate_actions"])
        return F.binary_cross_entropy_with_logits(logits.float(), b["labels"])

    def step(self):
        gathered = self.table.index_select(0, self.batch["rows"]).requires_grad_()
        loss = self.loss_of(gathered)
        loss.backward()
        self.optimizer.step()
        self.update_table(gathered.grad)
        for parameter in self.p.values():
            parameter.grad = None
        return loss

    def update_table(self, gradients):
        """Row-wise Adagrad on the touched rows, repeated rows summed first; every size is fixed, so it can be captured."""
        rows, order = torch.sort(self.batch["rows"].int())
        is_first = torch.ones_like(rows)
        is_first[1:] = rows[1:] != rows[:-1]
        segment = torch.cumsum(is_first, 0, dtype=torch.int32) - 1
        sums = torch.zeros_like(gradients).index_add_(0, segment, gradients[order])
        touched = torch.zeros_like(rows, dtype=torch.int64).scatter_(0, segment.long(), rows.long())
        # Unused segments are zeros and change nothing, whatever row they name.
        self.sums.index_add_(0, touched, sums.square().mean(1))
        rate = 0.05 / (self.sums[touched].sqrt() + 1e-8)
        self.table.index_add_(0, touched, sums * -rate.unsqueeze(1))


def captured(work, device):
    """A CUDA graph of `work`, warmed up on a side stream."""
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(4):
            work()
    torch.cuda.current_stream().wait_stream(stream)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = work()
    return graph, result


def timed(replay, times=50):
    """Milliseconds of each of `times` runs."""
    for _ in range(10):
        replay()
    torch.cuda.synchronize()
    samples = []
    for _ in range(times):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        replay()
        end.record()
        end.synchronize()
        samples.append(begin.elapsed_time(end))
    return samples


def summary(samples):
    ordered = sorted(samples)
    return {"median_ms": statistics.median(ordered), "p95_ms": ordered[int(0.95 * (len(ordered) - 1))], "min_ms": ordered[0]}


def train(arguments, device):
    results = []
    for name in arguments.shapes.split(","):
        s = SHAPES[name]
        for ids in arguments.ids.split(","):
            torch._dynamo.reset()
            torch.cuda.empty_cache()
            start = time.time()
            training = Training(s, ids, not arguments.eager, device)
            graph, loss = captured(training.step, device)
            prepared = time.time() - start
            first = loss.item()
            samples = timed(graph.replay)
            allocated = torch.cuda.max_memory_reserved() - training.fixed_bytes
            row = {
                "shape": name,
                "ids": ids,
                **summary(samples),
                "requests_per_s": 1000 * s.requests / statistics.median(samples),
                "memory_gb": allocated / 1e9,
                "loss": [first, loss.item()],
                "seconds_to_compile": prepared,
            }
            print(json.dumps(row), flush=True)
            results.append(row)
            del graph, training, loss
            torch.cuda.reset_peak_memory_stats()
    return results


# ---- serving ------------------------------------------------------------------------------------------------------


class Serving:
    """bf16 weights; the user's keys and values cached per layer, candidates scored over them."""

    def __init__(self, s, device):
        self.s = s
        self.p = {name: p.detach().bfloat16() for name, p in random_parameters(s, device).items()}
        self.model = Longer(s, self.p, device)

    def keys_values(self, name, rows):
        weight, bias, width = self.p[name + ".qkv.weight"], self.p[name + ".qkv.bias"], self.s.width
        return F.linear(self.model.norm(name + ".ln1", rows), weight[width:], bias[width:])

    def encode(self, items, actions, buckets):
        """Keys and values [B, rows, 2D] of the merged rows in every layer."""
        s, m = self.s, self.model
        rows = m.merged(items, actions, buckets)
        first = s.groups - min(s.queries, s.groups)
        outputs = s.groups - first
        cached = []
        for i in range(1 + s.self_layers):
            name = f"layers.{i}"
            kv = self.keys_values(name, rows)
            cached.append(kv)
            if i == s.self_layers:
                break
            mask = m.cross_mask[:outputs, : s.groups] if i == 0 else m.self_mask[:outputs, :outputs]
            q = F.linear(m.norm(name + ".ln1", rows[:, -outputs:]), self.p[name + ".qkv.weight"][: s.width], self.p[name + ".qkv.bias"][: s.width])
            z = rows[:, -outputs:] + m.linear(name + ".out", m.attend(q, *kv.chunk(2, -1), mask))
            rows = z + m.linear(name + ".fc2", F.gelu(m.linear(name + ".fc1", m.norm(name + ".ln2", z)), approximate="tanh"))
        return cached

    def score(self, cached, user_bucket, candidate_items, candidate_actions):
        """Scores [C] of one user's candidates; user globals are computed anew beside them.

        All side rows attend to the cached rows; a global sees the globals before it, a candidate all globals and itself. The
        two parts of the softmax are joined by their log-sum-exp, so that no mask over C × C is needed.
        """
        s, m = self.s, self.model
        user = m.linear("global.user", F.embedding(user_bucket, self.p["global.user_time_bucket.weight"]))
        candidates = torch.cat((candidate_items, F.embedding(candidate_actions, self.p["table.action.weight"])), -1)
        rows = torch.cat((self.p["global.cls"], user, m.linear("global.candidate", candidates)), 0)
        for i in range(1 + s.self_layers):
            name = f"layers.{i}"
            q, k, v = m.linear(name + ".qkv", m.norm(name + ".ln1", rows)).chunk(3, -1)
            z = rows + m.linear(name + ".out", self.side_attention(q, k, v, cached[i]))
            rows = z + m.linear(name + ".fc2", F.gelu(m.linear(name + ".fc1", m.norm(name + ".ln2", z)), approximate="tanh"))
        y = m.norm("head.ln", rows)
        shared = y[: s.globals].flatten().expand(y.shape[0] - s.globals, -1)
        hidden = F.gelu(m.linear("head.fc1", torch.cat((shared, y[s.globals :]), -1)), approximate="tanh")
        return m.linear("head.fc2", hidden).squeeze(-1).float().sigmoid()

    def side_attention(self, q, k, v, kv):
        s = self.s
        heads, g = s.heads, s.globals
        split = lambda t: t.unflatten(-1, (heads, -1)).transpose(0, 1)
        prefix_k, prefix_v = kv[0].chunk(2, -1)
        q, k, v, prefix_k, prefix_v = (split(t) for t in (q, k, v, prefix_k, prefix_v))
        scale = 1 / math.sqrt(q.shape[-1])
        shared_k = torch.cat((prefix_k, k[:, :g]), 1)
        shared_v = torch.cat((prefix_v, v[:, :g]), 1)
        scores = (q @ shared_k.transpose(1, 2)).float() * scale
        order = torch.arange(q.shape[1], device=q.device)
        newer = torch.arange(g, device=q.device)[None, :] > order[:, None]
        scores[:, :, -g:] = scores[:, :, -g:].masked_fill(newer, -math.inf)
        own = ((q * k).sum(-1, dtype=torch.float32) * scale).masked_fill(order < g, -math.inf)
        weights = torch.cat((scores, own.unsqueeze(-1)), -1).softmax(-1)
        mixed = weights[..., :-1].to(v.dtype) @ shared_v + weights[..., -1:].to(v.dtype) * v
        return mixed.transpose(0, 1).flatten(1)


def serve(arguments, device):
    results = []
    s = SHAPES[arguments.shapes.split(",")[0]]
    with torch.no_grad():
        serving = Serving(s, device)
        encode = torch.compile(serving.encode, dynamic=False)
        score = torch.compile(serving.score, dynamic=False)
        half = lambda *size: 0.05 * torch.randn(size, device=device, dtype=torch.bfloat16)
        draw = lambda high, *size: torch.randint(high, size, device=device)
        for users in (1, 64, 256):
            batch = (half(users, s.events, s.d), draw(ACTIONS, users, s.events), draw(TIME_BUCKETS, users, s.events))
            graph, cached = captured(lambda: encode(*batch), device)
            row = {"what": "encode", "users": users, **summary(timed(graph.replay))}
            row["us_per_user"] = 1000 * row["median_ms"] / users
            results.append(row)
            print(json.dumps(row), flush=True)
            if users == 1:
                one = [kv.clone() for kv in cached]
            del graph, cached
        for count in (100, 500, 1000, 4000):
            batch = (draw(TIME_BUCKETS, 1), half(count, s.d), draw(ACTIONS, count))
            graph, _ = captured(lambda: score(one, *batch), device)
            row = {"what": "score", "candidates": count, **summary(timed(graph.replay))}
            results.append(row)
            print(json.dumps(row), flush=True)
    return results


# ---- agreement ----------------------------------------------------------------------------------------------------


def logits(arguments, device):
    """Logits of a batch under the weights of a model folder, in fp32: must be ours before anything is timed.

    The batch file holds `item` [B, L], `action` [B, L], `time_bucket` [B, L], `user_time_bucket` [B], `candidate_item` [B, C],
    `candidate_action` [B, C]; ids are table rows already. Writes `logits` as JSON.
    """
    weights = read_safetensors(arguments.model + "/dense.safetensors")
    tables = read_safetensors(arguments.model + "/tables.safetensors")
    config = json.load(open(arguments.model + "/config.json"))
    batch = {name: torch.from_numpy(value.copy()).to(device) for name, value in read_safetensors(arguments.batch).items()}
    requests, events = batch["item"].shape
    s = Shape("file", requests, events, config["event_width"], config["merge_factor"], config["heads"], config["queries"],
              config["self_layers"], batch["candidate_item"].shape[1], config["cls_tokens"], inner_heads=config["inner_heads"])
    p = {name: torch.from_numpy(value.copy()).to(device) for name, value in weights.items()}
    p["event_encoder.position.weight"] = p["event_encoder.position.weight"][:events]
    table = torch.from_numpy(tables["table.item.rows"].copy()).to(device)
    with torch.no_grad():
        values = Longer(s, p, device).logits(table[batch["item"]], batch["action"], batch["time_bucket"], batch["user_time_bucket"],
                                             table[batch["candidate_item"]], batch["candidate_action"])
    return {"logits": values.double().cpu().tolist()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["train", "serve", "logits"])
    parser.add_argument("--shapes", default="paper,wide,long,packed")
    parser.add_argument("--ids", default="zipf,uniform")
    parser.add_argument("--eager", action="store_true", help="without torch.compile")
    parser.add_argument("--model")
    parser.add_argument("--batch")
    parser.add_argument("--out")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("longer_torch.py: no CUDA device")
    torch.backends.cuda.matmul.allow_tf32 = False
    device = torch.device("cuda")
    results = {"train": train, "serve": serve, "logits": logits}[arguments.what](arguments, device)
    document = {"device": torch.cuda.get_device_name(), "torch": torch.__version__, "cuda": torch.version.cuda, "results": results}
    if arguments.out:
        with open(arguments.out, "w") as file:
            json.dump(document, file, indent=1)


if __name__ == "__main__":
    main()
