#pragma once
#include <cstddef>
#include <cstdint>

#include "core/workspace.hpp"
#include "ops/event_encoder/event_encoder.hpp"

namespace longer {

/// A run of whole groups that one thread encodes in its second-level cache.
struct Chunk {
  int64_t group_begin, group_end;
  int64_t token_begin, token_end;
  int64_t num_tokens() const { return token_end - token_begin; }
};

/// The chunks of a batch: a fixed number of groups each, so chunk i is found without a table.
class Chunks {
 public:
  explicit Chunks(const EventTokens& tokens);
  int64_t count() const { return count_; }
  /// Most tokens of a chunk.
  int64_t max_tokens() const { return groups_per_chunk_ * tokens_.merge_factor; }
  Chunk at(int64_t i) const;

 private:
  const EventTokens& tokens_;
  int64_t groups_per_chunk_;
  int64_t count_;
};

/// Widths of the token's parts.
struct TokenWidths {
  int64_t features, time, token;  // X, T, d
  explicit TokenWidths(const EventEncoderWeights& weights);
  int64_t input() const { return features + time; }
};

/// What the recomputed forward pass leaves for the backward pass; the forward pass alone leaves
/// nothing, so its blocks share their memory and `slope` is absent.
enum class Keep { kNothing, kActivations };

/// Rows of one InnerTransformer block over R tokens.
struct BlockRows {
  MatrixView input, normed1, qkv, attended;  // [R, d], [R, d], [R, 3d], [R, d]
  MatrixView middle, normed2;                // [R, d]
  MatrixView slope, hidden;                  // [R, 4d] gelu' and gelu of fc1's result
  float *mean1, *rstd1, *mean2, *rstd2;      // [R]
};

/// Rows of a chunk, in the calling thread's workspace: valid inside a scope of it.
struct ChunkRows {
  ChunkRows(Workspace& workspace, const EventEncoderWeights& weights, int64_t num_tokens,
            Keep keep);
  /// The rows of block b; the blocks of a pass that keeps nothing are one.
  BlockRows& block(size_t b) { return blocks[b < num_blocks ? b : num_blocks - 1]; }

  MatrixView features;       // [R, X + T] table rows and position, time bucket
  MatrixView slope, hidden;  // [R, 2d]
  MatrixView tokens;         // [R, d] event tokens e
  BlockRows* blocks;         // [num_blocks]
  size_t num_blocks;
};

/// The masks of a block's rows.
Dropout block_dropout(const Dropout& dropout, const Chunk& chunk, size_t block);

/// Computes the chunk's rows. Returns those that are concatenated; with kActivations the last map
/// of the chunk, which no gradient needs, is left out and so is the result.
MatrixView forward_chunk(const EventTokens& tokens, const EventEncoderWeights& weights,
                         const Dropout& dropout, const Chunk& chunk, Keep keep, ChunkRows& rows);

}  // namespace longer
