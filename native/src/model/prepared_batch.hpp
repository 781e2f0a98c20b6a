#pragma once
#include <cstdint>
#include <vector>

#include "core/placed_array.hpp"
#include "longer/batch.hpp"
#include "longer/config.hpp"
#include "model/prepared_features.hpp"
#include "ops/attention/attention.hpp"
#include "ops/event_encoder/event_encoder.hpp"
#include "ops/global_tokens/global_tokens.hpp"
#include "ops/stream.hpp"

namespace longer {

/// The attention geometry of one set of rows in one kind of layer (native/docs/model.md, "Layers").
struct LayerRows {
  PlacedArray<int32_t> query_rows;
  PlacedArray<AttentionSpan> spans;
  PlacedArray<VisibleKeys> visible;

  void clear();
  void list(std::vector<Placement>& arrays);
};

/// A batch as the stages take it: windows cut, groups formed, ids turned into rows, masks as
/// intervals.
///
/// Merged rows are numbered request by request, oldest group first, learned queries behind the
/// groups; side rows as SideLayout says. Refilling a PreparedBatch reuses its memory.
/// Between filling it and the first stage comes `place`.
struct PreparedBatch {
  int64_t num_requests = 0;    // B
  int64_t num_candidates = 0;  // ΣC
  int64_t num_side_rows = 0;

  PreparedFeatures event_features;           // of N rows
  PlacedArray<int32_t> positions;            // [N]
  PlacedArray<int32_t> time_buckets;         // [N]; empty when the time mode is NONE
  PlacedArray<int32_t> slots;                // [N]
  PlacedArray<int32_t> event_group_offsets;  // [ΣS + 1]
  std::vector<RowRange> kept_events;         // [B] among the batch's events
  PlacedArray<int32_t> token_offsets;        // [B + 1] kept events
  PlacedArray<int32_t> group_offsets;        // [B + 1] merged tokens
  PlacedArray<int32_t> merged_offsets;       // [B + 1] rows of layer 0: groups, learned queries
  PlacedArray<int32_t> query_offsets;        // [B + 1] merged rows that are queries

  PreparedFeatures user_features;          // user then context features, of B rows
  PreparedFeatures candidate_features;     // of ΣC rows
  PlacedArray<int32_t> user_time_buckets;  // [B]
  PlacedArray<int32_t> side_offsets;       // [B + 1]

  LayerRows merged_cross;  // merged rows in layer 0
  LayerRows merged_self;   // merged rows in layers 1 …
  LayerRows side_cross;    // side rows in layer 0: prefix = all merged rows
  LayerRows side_self;     // side rows in layers 1 …: prefix = the query rows

  int64_t num_tokens() const { return token_offsets.empty() ? 0 : token_offsets.back(); }
  int64_t num_groups() const { return group_offsets.empty() ? 0 : group_offsets.back(); }
  int64_t num_merged_rows() const { return merged_offsets.empty() ? 0 : merged_offsets.back(); }
  int64_t num_queries() const { return query_offsets.empty() ? 0 : query_offsets.back(); }

  /// Puts the arrays that stages read into `memory`.
  void place(Stream& stream, Workspace& memory);
  /// The rows that are looked up once placed, in the order in which they are looked up elsewhere.
  void list_deferred(std::vector<DeferredRows>& rows) const;

  EventTokens event_tokens(const Config& config) const;
  SideLayout side_layout(const Config& config) const;
  GlobalTokensInputs global_inputs(const Config& config) const;
};

/// Throws InvalidArgument unless every count lies in 0 … 2^30: products of counts then fit in 64
/// bits.
void validate_counts(const BatchView& batch);
/// Throws InvalidArgument, naming request, event and value, when a batch is not well-formed:
/// counts, offsets, null columns, times that descend or lie after the reference time.
void validate_batch(const Config& config, const BatchView& batch);
/// As validate_batch, for the events of an append alone: one request without candidates. Reads no
/// reference time, no user columns.
void validate_events(const Config& config, const BatchView& batch);
/// As validate_batch, for labels and weights; labels must be present.
void validate_labels(const Config& config, const BatchView& batch);

/// Fills `prepared` from a validated batch.
void prepare_batch(const Config& config, const BatchView& batch, RowLookup& lookup,
                   PreparedBatch& prepared);

/// The events' half alone, for one request whose events follow those of an encoded history: the
/// first kept one's time is measured against `previous_time`, null where it is the window's oldest.
void prepare_events(const Config& config, const BatchView& batch, const int64_t* previous_time,
                    RowLookup& lookup, PreparedBatch& prepared);

/// The side rows' half alone, for one request whose merged rows' keys and values are already known:
/// `num_merged_rows` in layer 0, `num_queries` in the others, newest event at `newest_time`.
struct CachedHistory {
  int64_t num_merged_rows = 0;
  int64_t num_queries = 0;
  int64_t newest_time = 0;
  bool has_events = false;  // any was supplied, inside the window or not
};
void prepare_candidates(const Config& config, const BatchView& batch, const CachedHistory& history,
                        RowLookup& lookup, PreparedBatch& prepared);

}  // namespace longer
