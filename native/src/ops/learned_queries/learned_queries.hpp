#pragma once
#include <cstdint>

#include "core/matrix.hpp"

namespace longer {

/// The merged rows of layer 0 where queries are learned (native/docs/model.md, "Query rows"; LONGER
/// §3.5.2): each request's merged tokens, then the k learned rows, the same for every request.
///
/// groups [ΣS, D], those of request b are rows [group_offsets[b], group_offsets[b + 1]); queries
/// [k, D] → rows [ΣS + B·k, D].
struct LearnedQueriesForward {
  int64_t num_requests = 0;                // B
  const int32_t* group_offsets = nullptr;  // [B + 1]
  ConstMatrixView groups;
  ConstMatrixView queries;
  MatrixView rows;
};

/// d_groups [ΣS, D] is set, d_queries [k, D] is ADDED to, request by request in order.
struct LearnedQueriesBackward {
  LearnedQueriesForward forward;
  ConstMatrixView d_rows;
  MatrixView d_groups;
  MatrixView d_queries;
};

}  // namespace longer
