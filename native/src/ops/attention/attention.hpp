#pragma once
#include <cstdint>

#include "core/matrix.hpp"
#include "core/thread_pool.hpp"
#include "core/workspace.hpp"
#include "ops/attention/visible_keys.hpp"
#include "ops/linear/linear.hpp"

namespace longer {

/// The rows and keys of one request in an attention call. Its keys are prefix rows followed by own
/// rows.
struct AttentionSpan {
  int64_t query_begin, query_end;    // rows of q, out
  int64_t prefix_begin, prefix_end;  // rows of prefix_keys, prefix_values; may be empty
  int64_t own_begin, own_end;        // rows of own_keys, own_values; may be empty
};

/// out = softmax(q·kᵀ / √E) · v over each row's visible keys, ragged over requests.
///
/// q, out [Rq, D]; prefix_keys/values [Rp, D]; own_keys/values [Ro, D]; D = heads · E, heads are
/// contiguous slices. visible [Rq]; lse [Rq, heads] natural log (null = not kept). A row that sees
/// nothing gives out = 0, lse = −∞. Accumulates in f32 in one fixed order by key: a row's bits
/// depend on its visible keys alone, not on other rows, not on keys it does not see, not on
/// threads. out may not alias an input.
struct AttentionForward {
  int64_t num_spans = 0;
  const AttentionSpan* spans = nullptr;
  const VisibleKeys* visible = nullptr;
  int64_t heads = 1;
  ConstMatrixView q, prefix_keys, prefix_values, own_keys, own_values;
  MatrixView out;
  float* lse = nullptr;
};
void attention_forward(ThreadPool* pool, Workspace& workspace, const AttentionForward& p);

/// Gradients: d_q is set; d_own_keys/values and d_prefix_keys/values are ADDED to.
/// Probabilities are recomputed from lse. Fixed order, whatever the number of threads.
struct AttentionBackward {
  AttentionForward forward;  // same inputs; out and lse as the forward pass left them
  ConstMatrixView d_out;
  MatrixView d_q, d_prefix_keys, d_prefix_values, d_own_keys, d_own_values;
};
void attention_backward(ThreadPool* pool, Workspace& workspace, const AttentionBackward& p);

/// probabilities [keys of the span] of one query row, mean over heads (keys not seen: 0). For
/// explanations.
void attention_probabilities(const AttentionForward& p, int64_t span, int64_t query_row,
                             float* probabilities);

}  // namespace longer
