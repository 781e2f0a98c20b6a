#pragma once
#include <vector>

#include "core/workspace.hpp"
#include "model/dropout_rows.hpp"
#include "model/parameters.hpp"
#include "model/prepared_batch.hpp"
#include "ops/backend.hpp"

namespace longer {

/// Whether a pass keeps what its backward pass reads.
enum class PassKind { kInference, kTraining };

/// What the backward pass computes again instead of reading what the forward pass kept (LONGER
/// §3.6); the same bits whichever.
enum class Recomputation : int64_t {
  kNone = 0,
  /// Event tokens and token merge. The CPU's event encoder always does, whatever is chosen.
  kMerge = 1,
  /// Those and every layer, which then keeps its input rows alone.
  kFull = 2,
};

/// How a forward pass runs. A training pass is followed by `backward` or by nothing.
struct Pass {
  Pass(PassKind k) : kind(k) {}  // NOLINT(google-explicit-constructor): the plain pass of a kind
  PassKind kind;
  Recomputation recomputation = Recomputation::kNone;
  const DropoutPass* dropout = nullptr;    // null = none; outlives the backward pass
  Precision precision = Precision::kFp32;  // bf16: weights prepared so, CUDA only
};

/// What candidates need of the histories of a batch, and serving caches (LONGER §3.6.3): keys and
/// values [rows, 2D] of the merged rows of every layer (all of them in layer 0, the query rows in
/// the others), and the history's share of the head [B, D], empty where the head takes none.
struct UserKeysValues {
  std::vector<MatrixView> layers;
  MatrixView head_share;
};

/// The buffers of one pass. Views into a workspace; refilled by each pass.
struct Activations {
  Pass pass = PassKind::kInference;
  std::vector<MatrixView> merged_rows;  // [l] input of layer l; [num_layers] = rows for the head
  std::vector<float*> merged_saved;     // [l] null in inference
  std::vector<MatrixView> side_rows;    // [l] input of layer l; [num_layers] = rows for the head
  std::vector<MatrixView> side_kv;      // [l]
  std::vector<float*> side_saved;       // [l] null in inference
  LearnedQueriesForward learned_queries;
  HistoryHeadForward history_head;
  GlobalTokensForward global_tokens;
  PredictionHeadForward head;
};

/// Whether the head reads the query rows after the last layer.
bool head_reads_history(const Config& config);
/// Whether the query rows' results of a layer are needed: by the next one or by the head.
bool goes_on(const Config& config, int64_t layer);
/// The head's call over query rows [ΣQ, D]; share [B, D].
HistoryHeadForward history_head_call(const Config& config, const ModelWeights& weights,
                                     Workspace& memory, int64_t num_requests,
                                     const int32_t* query_offsets, ConstMatrixView rows,
                                     MatrixView share);

/// Encodes the histories of a batch: event encoder, then the merged rows of every layer and their
/// share of the head. Writes `keys_values`, whose views must have these shapes; in training keeps
/// the rest in `activations`. `event_tokens` (optional): [N, d].
void encode_user(const Config& config, const ModelWeights& weights, Backend& backend,
                 Stream& stream, Workspace& memory, const PreparedBatch& batch, const Pass& pass,
                 UserKeysValues& keys_values, Activations& activations,
                 float* event_tokens = nullptr);

/// Scores candidates over what encode_user left: global tokens, side rows of every
/// layer, head. Leaves the logits in `activations.head.logits` [ΣC, tasks].
void score_candidates(const Config& config, const ModelWeights& weights, Backend& backend,
                      Stream& stream, Workspace& memory, const PreparedBatch& batch,
                      const Pass& pass, const UserKeysValues& keys_values,
                      Activations& activations);

/// scores [tasks, ΣC] = probabilities of logits [ΣC, tasks], both on the host, corrected for each
/// task's sampling of negatives (native/docs/model.md, "Head and loss").
void sigmoid_scores(const Config& config, ConstMatrixView logits, float* scores);

/// Allocates keys and values for a batch and a pass in `precision` in `memory`.
void allocate_keys_values(const Config& config, const PreparedBatch& batch, Workspace& memory,
                          UserKeysValues& keys_values, Precision precision = Precision::kFp32);

/// Attention of one side row in the cross-causal layer over its request's keys (merged rows, then
/// side rows), mean over heads, after a score_candidates pass with PassKind::kTraining.
void cross_attention_probabilities(const Config& config, const ModelWeights& weights,
                                   Backend& backend, Stream& stream, const PreparedBatch& batch,
                                   const UserKeysValues& keys_values,
                                   const Activations& activations, int64_t request,
                                   int64_t side_row, float* probabilities);

/// Gradients with respect to what the tables and position rows fed in; views into the workspace.
struct InputGradients {
  MatrixView features;            // [N, X] event features' embeddings and position
  MatrixView time;                // [N, T], empty under TimeMode::kNone
  MatrixView user_input;          // [B, U + T], T = 0 without user tokens
  MatrixView candidate_input;     // [ΣC, W]
  float* event_tokens = nullptr;  // [N, d] when asked for
};

/// Backward of encode_user and score_candidates run with PassKind::kTraining. Adds to `gradients`;
/// sets `inputs`.
void backward(const Config& config, const ModelWeights& weights, Backend& backend, Stream& stream,
              Workspace& memory, const PreparedBatch& batch, const UserKeysValues& keys_values,
              const Activations& activations, ConstMatrixView d_logits,
              const ModelGradients& gradients, InputGradients& inputs);

}  // namespace longer
