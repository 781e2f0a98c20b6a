#include "model/dropout_rows.hpp"

namespace longer {
namespace {

/// Side rows have numbers of their own, apart from those of merged rows.
constexpr uint32_t kFirstSideRow = uint32_t{1} << 31;

/// Numbers the rows of each request from `first` on.
template <class Offset>
void number_rows(const Offset* offsets, int64_t num_requests, uint32_t first_request,
                 uint32_t first, PlacedArray<DropoutRow>& rows) {
  rows.clear();
  for (int64_t b = 0; b < num_requests; ++b) {
    const auto count = static_cast<uint32_t>(offsets[b + 1] - offsets[b]);
    for (uint32_t i = 0; i < count; ++i) {
      rows.push_back({first_request + static_cast<uint32_t>(b), first + i});
    }
  }
}

}  // namespace

void DropoutPass::name_rows(const PreparedBatch& batch, const int64_t* candidate_offsets,
                            int64_t first_request) {
  const auto first = static_cast<uint32_t>(first_request);
  const int64_t requests = batch.num_requests;
  number_rows(batch.token_offsets.data(), requests, first, 0, events);
  number_rows(batch.side_offsets.data(), requests, first, kFirstSideRow, side);
  number_rows(candidate_offsets, requests, first, 0, candidates);
  // Query rows keep the number of their merged row in every layer.
  number_rows(batch.query_offsets.data(), requests, first, 0, queries);
  const std::vector<int32_t>& merged = batch.merged_cross.query_rows;
  for (size_t i = 0; i < merged.size(); ++i) {
    const auto b = static_cast<size_t>(queries[i].request - first);
    queries[i].ordinal = static_cast<uint32_t>(merged[i] - batch.merged_offsets[b]);
  }
}

void DropoutPass::place(Stream& stream, Workspace& memory) {
  const Placement arrays[] = {events.placement(), queries.placement(), side.placement(),
                              candidates.placement()};
  stream.place(memory, arrays, 4);
}

}  // namespace longer
