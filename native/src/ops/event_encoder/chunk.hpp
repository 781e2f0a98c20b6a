#pragma once
#include <vector>

#include "core/scratch.hpp"
#include "ops/event_encoder/event_encoder.hpp"

namespace longer {

/// A run of whole groups that one thread encodes in its cache.
struct Chunk {
  int64_t group_begin, group_end;
  int64_t token_begin, token_end;
  int64_t num_tokens() const { return token_end - token_begin; }
};

/// Groups whose tokens fill about this many rows make a chunk: its activations stay in L2.
inline constexpr int64_t kChunkTokens = 256;

/// What the forward pass over a chunk leaves for its backward pass.
struct BlockActivations {
  MatrixView input, qkv, attended, middle, hidden_pre;  // [T, d], [T, 3d], [T, d], [T, d], [T, 4d]
  float *mean1, *rstd1, *mean2, *rstd2;                 // [T]
};
struct ChunkActivations {
  MatrixView features;    // [T, X + T'] features, position added, time appended
  MatrixView hidden_pre;  // [T, 2d]
  MatrixView tokens;      // [T, d] event tokens e
  std::vector<BlockActivations> blocks;
  MatrixView output;  // [T, d] rows that are concatenated
};

/// Bump allocation from one thread's scratch; `floats` counts first, then hands out.
class ChunkMemory {
 public:
  explicit ChunkMemory(float* base) : base_(base) {}
  float* floats(int64_t count) {
    float* begin = base_ == nullptr ? nullptr : base_ + used_;
    used_ += (count + 15) / 16 * 16;
    return begin;
  }
  MatrixView matrix(int64_t rows, int64_t cols) { return {floats(rows * cols), rows, cols}; }
  int64_t used() const { return used_; }

 private:
  float* base_;
  int64_t used_ = 0;
};

}  // namespace longer
