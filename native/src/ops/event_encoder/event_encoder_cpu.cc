#include "ops/event_encoder/event_encoder_cpu.hpp"

#include <algorithm>

#include "ops/event_encoder/check_event_encoder.hpp"

namespace longer {
namespace {

/// merged rows of the chunk's groups: each token at its slot, zeros at the other slots.
void merge(const EventTokens& tokens, const Chunk& chunk, ConstMatrixView rows, MatrixView merged) {
  const int64_t d = rows.cols;
  for (int64_t group = chunk.group_begin; group < chunk.group_end; ++group) {
    float* target = merged.row(group);
    const int64_t begin = tokens.group_offsets[group];
    const int64_t end = tokens.group_offsets[group + 1];
    if (end - begin < tokens.merge_factor) std::fill_n(target, tokens.merge_factor * d, 0.0F);
    for (int64_t t = begin; t < end; ++t) {
      std::copy_n(rows.row(t - chunk.token_begin), d, target + tokens.slots[t] * d);
    }
  }
}

}  // namespace

void event_encoder_forward(CpuStream& stream, const EventEncoderForward& p) {
  check_event_encoder(p.tokens, *p.weights);
  const Chunks chunks(p.tokens);
  parallel_for(stream.pool(), chunks.count(), [&](int64_t i) {
    const Chunk chunk = chunks.at(i);
    Workspace& workspace = thread_workspace();
    const WorkspaceScope scope(workspace);
    ChunkRows rows(workspace, *p.weights, chunk.num_tokens(), Keep::kNothing);
    merge(p.tokens, chunk,
          forward_chunk(p.tokens, *p.weights, p.dropout, chunk, Keep::kNothing, rows), p.merged);
    if (p.event_tokens != nullptr) {
      const MatrixView& e = rows.tokens;
      std::copy_n(e.data, e.rows * e.cols, p.event_tokens + chunk.token_begin * e.cols);
    }
  });
}

}  // namespace longer
