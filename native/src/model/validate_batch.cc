#include <cmath>
#include <limits>

#include "longer/error.hpp"
#include "model/prepared_batch.hpp"
#include "model/validate_columns.hpp"

namespace longer {
namespace {

void check_count(const char* name, int64_t count) {
  check_argument(count >= 0 && count <= std::numeric_limits<int32_t>::max() / 2, "[batch] ", name,
                 " must be in 0 … 2^30; got ", count);
}

void check_present(const char* name, const void* pointer, int64_t needed) {
  check_argument(pointer != nullptr || needed == 0, "[batch] ", name, " is null; ", needed,
                 " values are needed");
}

void check_offsets(const char* name, const int64_t* offsets, int64_t num_requests, int64_t total) {
  check_argument(offsets[0] == 0, "[batch] ", name, "[0] must be 0; got ", offsets[0]);
  for (int64_t b = 0; b < num_requests; ++b) {
    check_argument(offsets[b + 1] >= offsets[b], "[batch] ", name, "[", b + 1,
                   "] must not descend; got ", offsets[b + 1], " after ", offsets[b]);
  }
  check_argument(offsets[num_requests] == total, "[batch] ", name, "[", num_requests,
                 "] must equal the count ", total, "; got ", offsets[num_requests]);
}

/// Events lie in order and, where there are reference times, not after them.
void check_times(const BatchView& batch) {
  for (int64_t b = 0; b < batch.num_requests; ++b) {
    const int64_t reference = batch.reference_times != nullptr
                                  ? batch.reference_times[b]
                                  : std::numeric_limits<int64_t>::max();
    for (int64_t i = batch.event_offsets[b]; i < batch.event_offsets[b + 1]; ++i) {
      const int64_t index = i - batch.event_offsets[b];
      check_argument(index == 0 || batch.event_times[i] >= batch.event_times[i - 1],
                     "[batch] request ", b, ": event ", index, " is older than the one before it (",
                     batch.event_times[i], " < ", index == 0 ? 0 : batch.event_times[i - 1],
                     "); histories run oldest to newest");
      check_argument(batch.event_times[i] <= reference, "[batch] request ", b, ": event ", index,
                     " at ", batch.event_times[i], " lies after the reference time ", reference);
    }
  }
}

void check_columns(const char* name, const Column* columns, size_t features, int64_t length) {
  check_present(name, columns, length > 0 ? static_cast<int64_t>(features) : 0);
}

void check_first_ordinals(const BatchView& batch) {
  if (batch.first_ordinals == nullptr) return;
  for (int64_t b = 0; b < batch.num_requests; ++b) {
    check_argument(batch.first_ordinals[b] >= 0 && batch.first_ordinals[b] <= int64_t{1} << 60,
                   "[batch] request ", b, ": first_ordinal must be in 0 … 2^60; got ",
                   batch.first_ordinals[b]);
  }
}

}  // namespace

void validate_counts(const BatchView& batch) {
  check_count("num_requests", batch.num_requests);
  check_count("num_events", batch.num_events);
  check_count("num_candidates", batch.num_candidates);
}

void validate_batch(const Config& config, const BatchView& batch) {
  validate_counts(batch);
  const int64_t side_rows = batch.num_candidates * config.rows_per_candidate() +
                            batch.num_requests * config.num_request_rows();
  check_argument(side_rows <= std::numeric_limits<int32_t>::max(),
                 "[batch] too many global and candidate rows: ", side_rows);
  const int64_t merged_rows = batch.num_events + batch.num_requests * config.num_learned_queries();
  check_argument(merged_rows <= std::numeric_limits<int32_t>::max(),
                 "[batch] too many events and learned queries: ", merged_rows);
  check_present("event_offsets", batch.event_offsets, batch.num_requests + 1);
  check_present("candidate_offsets", batch.candidate_offsets, batch.num_requests + 1);
  check_offsets("event_offsets", batch.event_offsets, batch.num_requests, batch.num_events);
  check_offsets("candidate_offsets", batch.candidate_offsets, batch.num_requests,
                batch.num_candidates);
  check_columns("event_columns", batch.event_columns, config.event_features.size(),
                batch.num_events);
  check_columns("user_columns", batch.user_columns, static_cast<size_t>(config.num_user_features()),
                batch.num_requests);
  check_columns("candidate_columns", batch.candidate_columns, config.candidate_features.size(),
                batch.num_candidates);
  validate_columns("event", config.event_features, batch.event_columns, batch.num_events);
  validate_columns("user", config.user_features, batch.user_columns, batch.num_requests);
  const Column* context =
      batch.user_columns == nullptr ? nullptr : batch.user_columns + config.user_features.size();
  validate_columns("context", config.context_features, context, batch.num_requests);
  validate_columns("candidate", config.candidate_features, batch.candidate_columns,
                   batch.num_candidates);
  if (config.time != TimeMode::kNone) {
    check_present("event_times", batch.event_times, batch.num_events);
    check_present("reference_times", batch.reference_times, batch.num_requests);
    check_times(batch);
  }
  check_first_ordinals(batch);
}

void validate_events(const Config& config, const BatchView& batch) {
  validate_counts(batch);
  check_argument(batch.num_requests == 1 && batch.num_candidates == 0,
                 "[batch] one history and no candidates are wanted; got num_requests ",
                 batch.num_requests, ", num_candidates ", batch.num_candidates);
  check_present("event_offsets", batch.event_offsets, 2);
  check_offsets("event_offsets", batch.event_offsets, 1, batch.num_events);
  check_columns("event_columns", batch.event_columns, config.event_features.size(),
                batch.num_events);
  validate_columns("event", config.event_features, batch.event_columns, batch.num_events);
  if (config.time != TimeMode::kNone) {
    check_present("event_times", batch.event_times, batch.num_events);
    BatchView without_reference = batch;
    without_reference.reference_times = nullptr;
    check_times(without_reference);
  }
  check_first_ordinals(batch);
}

void validate_labels(const Config& config, const BatchView& batch) {
  const auto tasks = static_cast<int64_t>(config.tasks.size());
  check_present("labels", batch.labels, tasks * batch.num_candidates);
  for (int64_t i = 0; i < tasks * batch.num_candidates; ++i) {
    const float label = batch.labels[i];
    check_argument(std::isnan(label) || (label >= 0.0F && label <= 1.0F),
                   "[batch] label of candidate ", i % batch.num_candidates, ", task ",
                   i / batch.num_candidates, " must be in 0 … 1 or NaN; got ", label);
  }
  if (batch.weights == nullptr) return;
  for (int64_t c = 0; c < batch.num_candidates; ++c) {
    check_argument(std::isfinite(batch.weights[c]) && batch.weights[c] >= 0.0F,
                   "[batch] weight of candidate ", c, " must be finite and not negative; got ",
                   batch.weights[c]);
  }
}

}  // namespace longer
