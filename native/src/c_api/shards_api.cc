#include "c_api/guard.hpp"
#include "c_api/handles.hpp"
#include "data/batch_reader.hpp"
#include "data/shard_writer.hpp"
#include "data/shards.hpp"

using namespace longer;  // NOLINT(google-build-using-namespace): this file is the border between
                         // the two namings
using namespace longer::c_api;  // NOLINT(google-build-using-namespace)

struct longer_shard_writer {
  ShardWriter writer;
};
struct longer_shards {
  std::shared_ptr<const Shards> shards;
};
struct longer_reader {
  BatchReader reader;
  const int64_t* user_keys = nullptr;  // of the last batch
};

namespace {

constexpr int64_t kDefaultShardBytes = int64_t{64} << 20;

ReaderOptions options_of(const longer_reader_options* options) {
  if (options == nullptr) return {};
  const longer_reader_options& o = sized(options, "options");
  return {o.batch_requests, o.batch_events, o.max_history, o.shuffle != 0, o.seed,
          o.epoch,          o.worker,       o.num_workers, o.threads,      o.first_request};
}

void write_counts(const ShardCounts& counts, longer_shard_counts* to) {
  sized(to, "counts");
  *to = {static_cast<int64_t>(sizeof(longer_shard_counts)),
         counts.shards,
         counts.logs,
         counts.events,
         counts.requests,
         counts.candidates,
         counts.bytes};
}

}  // namespace

extern "C" {

longer_shard_writer* longer_shard_writer_create(const char* path, const char* schema_json,
                                                int64_t schema_bytes, int64_t shard_bytes,
                                                longer_error* error) {
  return guarded_create<longer_shard_writer>(error, [&] {
    return new longer_shard_writer{
        {&required(path, "path"),
         ShardSchema::parse(text(schema_json, schema_bytes, "schema_json")),
         shard_bytes == 0 ? kDefaultShardBytes : shard_bytes}};
  });
}

longer_status longer_shard_writer_add(longer_shard_writer* writer, const longer_batch* batch,
                                      const int64_t* user_keys, longer_error* error) {
  return guarded(error, [&] {
    required(writer, "writer").writer.add(batch_of(batch), user_keys);
    return LONGER_OK;
  });
}

longer_status longer_shard_writer_get_counts(const longer_shard_writer* writer,
                                             longer_shard_counts* counts, longer_error* error) {
  return guarded(error, [&] {
    write_counts(required(writer, "writer").writer.counts(), counts);
    return LONGER_OK;
  });
}

longer_status longer_shard_writer_finish(longer_shard_writer* writer, longer_error* error) {
  return guarded(error, [&] {
    required(writer, "writer").writer.finish();
    return LONGER_OK;
  });
}

void longer_shard_writer_destroy(longer_shard_writer* writer) { destroy(writer); }

longer_shards* longer_shards_open(const char* path, int32_t verify, longer_error* error) {
  return guarded_create<longer_shards>(error, [&] {
    return new longer_shards{std::make_shared<const Shards>(&required(path, "path"), verify != 0)};
  });
}

void longer_shards_destroy(longer_shards* shards) { destroy(shards); }

longer_status longer_shards_get_counts(const longer_shards* shards, longer_shard_counts* counts,
                                       longer_error* error) {
  return guarded(error, [&] {
    write_counts(required(shards, "shards").shards->counts(), counts);
    return LONGER_OK;
  });
}

int64_t longer_shards_fingerprint(const longer_shards* shards) {
  return shards == nullptr ? 0 : shards->shards->fingerprint();
}

longer_status longer_shards_schema(const longer_shards* shards, char* text, int64_t capacity,
                                   int64_t* needed, longer_error* error) {
  return guarded(error, [&] {
    copy_text(required(shards, "shards").shards->schema().to_json(), text, capacity, needed);
    return LONGER_OK;
  });
}

void longer_reader_options_default(longer_reader_options* options) {
  if (options == nullptr) return;
  const ReaderOptions o;
  *options = {static_cast<int64_t>(sizeof(longer_reader_options)),
              o.batch_requests,
              o.batch_events,
              o.max_history,
              o.shuffle ? 1 : 0,
              o.seed,
              o.epoch,
              o.worker,
              o.num_workers,
              o.threads,
              o.first_request};
}

longer_reader* longer_reader_create(const longer_shards* shards, const char* config_json,
                                    int64_t config_bytes, const longer_reader_options* options,
                                    longer_error* error) {
  return guarded_create<longer_reader>(error, [&] {
    const Config config = Config::parse(text(config_json, config_bytes, "config_json"));
    const std::shared_ptr<const Shards>& data = required(shards, "shards").shards;
    return new longer_reader{{data, ColumnSelection(data->schema(), config), options_of(options)}};
  });
}

void longer_reader_destroy(longer_reader* reader) { destroy(reader); }

longer_status longer_reader_next(longer_reader* reader, longer_batch* batch, longer_error* error) {
  return guarded(error, [&] {
    longer_reader& r = required(reader, "reader");
    sized(batch, "batch");
    const GatheredBatch* next = r.reader.next();
    r.user_keys = next == nullptr ? nullptr : next->user_keys().data();
    const BatchView v = next == nullptr ? BatchView() : next->view();
    *batch = {static_cast<int64_t>(sizeof(longer_batch)),
              v.num_requests,
              v.num_events,
              v.num_candidates,
              v.event_offsets,
              v.candidate_offsets,
              v.event_columns,
              v.event_times,
              v.first_ordinals,
              v.reference_times,
              v.user_columns,
              v.candidate_columns,
              v.labels,
              v.weights};
    return LONGER_OK;
  });
}

const int64_t* longer_reader_user_keys(const longer_reader* reader) {
  return reader == nullptr ? nullptr : reader->user_keys;
}

int64_t longer_reader_num_requests(const longer_reader* reader) {
  return reader == nullptr ? 0 : reader->reader.num_requests();
}

longer_status longer_reader_state(const longer_reader* reader, char* text, int64_t capacity,
                                  int64_t* needed, longer_error* error) {
  return guarded(error, [&] {
    copy_text(required(reader, "reader").reader.state(), text, capacity, needed);
    return LONGER_OK;
  });
}

longer_status longer_reader_restore(longer_reader* reader, const char* state, int64_t bytes,
                                    longer_error* error) {
  return guarded(error, [&] {
    required(reader, "reader").reader.restore(text(state, bytes, "text"));
    return LONGER_OK;
  });
}

}  // extern "C"
