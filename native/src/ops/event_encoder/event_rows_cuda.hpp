#pragma once
#include "core/bf16.hpp"
#include "ops/cuda_stream.hpp"
#include "ops/event_encoder/event_encoder.hpp"

/// The event encoder's ways in and out of rows; enqueue on the stream.
namespace longer {

/// inputs [N, X + T]: features and position (if there is one), then the time bucket; rounded.
void gather_inputs_bf16(CudaStream& stream, const EventTokens& tokens,
                        const EventEncoderWeights& weights, const Bf16View& inputs);
/// merged [ΣS, K·d]: rows into their slots, zeros into pad slots.
void merge_tokens(CudaStream& stream, const EventTokens& tokens, ConstMatrixView rows,
                  MatrixView merged);
/// The reverse: each token's share of d_merged.
void unmerge_tokens(CudaStream& stream, const EventTokens& tokens, ConstMatrixView d_merged,
                    MatrixView d_rows);
/// d_slot [K, d] += Σ of the tokens in each slot: in parts of fixed length, then part by part.
void add_slot_gradients(CudaStream& stream, const EventTokens& tokens, ConstMatrixView d_rows,
                        float* d_slot);

}  // namespace longer
