#pragma once
#include "longer/error.hpp"
#include "ops/event_encoder/chunk.hpp"
#include "ops/event_encoder/event_encoder_kernels.hpp"

namespace longer {

/// Throws InvalidArgument where the event encoder cannot run these weights.
inline void check_event_encoder(const EventTokens& tokens, const EventEncoderWeights& weights) {
  check_argument(tokens.merge_factor >= 1 && tokens.merge_factor <= kMaxGroup,
                 "[event_encoder] merge_factor must be in 1 … ", kMaxGroup, "; got ",
                 tokens.merge_factor);
  const TokenWidths widths(weights);
  check_argument(weights.fc1.in == widths.input(), "[event_encoder] fc1 must take ", widths.input(),
                 " inputs; got ", weights.fc1.in);
  check_argument(weights.inner.empty() ||
                     (weights.inner_heads >= 1 && widths.token % weights.inner_heads == 0),
                 "[event_encoder] inner_heads must divide the event width ", widths.token, "; got ",
                 weights.inner_heads);
}

}  // namespace longer
