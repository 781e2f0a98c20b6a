#pragma once
#include <vector>

#include "core/growing_rows.hpp"
#include "model/forward.hpp"

namespace longer {

/// Whether appending to an encoded history changes its end alone (native/docs/model.md, "Append").
/// With other options it is a rebuild.
bool can_append(const Config& config);

/// Whether an append may need the input rows of layer 1 again.
bool needs_query_rows(const Config& config);
/// Whether an append needs the query rows that the head read.
bool needs_head_rows(const Config& config);

/// An encoded history as an append finds it.
struct EncodedHistory {
  int64_t num_groups = 0;
  int64_t num_queries = 0;
  int64_t num_unchanged_groups = 0;  // those before the first group that is encoded again
  const UserKeysValues* keys_values = nullptr;
  ConstMatrixView query_rows;  // [queries, D] input of layer 1; empty unless needs_query_rows
  ConstMatrixView head_rows;   // [queries, D] rows for the head; empty unless needs_head_rows
};

/// How an append changes it; `added` are views into the workspace.
struct AppendedRows {
  int64_t num_groups = 0;
  int64_t num_queries = 0;
  std::vector<RowChange> keys_values;  // of every layer
  RowChange query_rows;
  RowChange head_rows;
  MatrixView head_share;  // [1, D]; empty where the head takes nothing from the history
};

/// Encodes what an append changes and nothing else: `events` holds the last, ragged group's events
/// and the new ones. The rows that stay and the added ones are bit for bit those of encode_user on
/// the whole history. While the first query row stays the same, every layer computes the groups of
/// `events` alone; when it moves, layers from 2 on compute all query rows, and layer 1 those rows'
/// queries over keys and values that stay.
void encode_append(const Config& config, const ModelWeights& weights, Backend& backend,
                   Stream& stream, Workspace& memory, const PreparedBatch& events,
                   const EncodedHistory& former, AppendedRows& rows);

}  // namespace longer
