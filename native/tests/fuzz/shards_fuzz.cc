// Any file that stands for a shard is either rejected as corrupt, or each of its requests is
// gathered or named as corrupt, in both orders and with a history that is cut.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/batch_reader.hpp"
#include "fuzz/file_mutation.hpp"
#include "fuzz/rejection.hpp"

namespace {

constexpr int64_t kMostRequests = 64;  // of those that a file claims

const longer::ShardSchema& schema() {
  static const longer::ShardSchema schema = longer::ShardSchema::parse(
      R"({"format_version": 1,
          "event_features": [{"name": "a"}, {"name": "m", "values": "many"},
                             {"name": "n", "kind": "numeric"}],
          "user_features": [{"name": "a"}], "context_features": [{"name": "n", "kind": "numeric"}],
          "candidate_features": [{"name": "a"}], "tasks": [{"name": "t"}]})");
  return schema;
}

void read_all(const std::shared_ptr<const longer::Shards>& shards, bool shuffle) {
  longer::ReaderOptions options;
  options.batch_requests = 2;
  options.batch_events = shuffle ? 3 : 0;
  options.max_history = shuffle ? 2 : 0;
  options.shuffle = shuffle;
  options.threads = 0;
  longer::BatchReader reader(shards, longer::ColumnSelection(shards->schema()), options);
  int64_t requests = 0;
  double sum = 0;
  while (const longer::GatheredBatch* batch = reader.next()) {
    const longer::BatchView& view = batch->view();
    const longer::Column* columns = view.event_columns;
    for (int64_t i = 0; i < view.num_events; ++i) {
      sum += static_cast<double>(view.event_times[i]) + static_cast<double>(columns[0].ids[i]);
      for (int64_t j = columns[1].offsets[i]; j < columns[1].offsets[i + 1]; ++j)
        sum += static_cast<double>(columns[1].ids[j]);
      sum += static_cast<double>(columns[2].numbers[i]);
    }
    for (int64_t c = 0; c < view.num_candidates; ++c) {
      if (view.labels[c] < 0 || view.labels[c] > 1) std::abort();
      sum += static_cast<double>(view.candidate_columns[0].ids[c]);
    }
    requests += view.num_requests;
    if (requests > kMostRequests) break;
  }
  volatile double sink = sum;
  static_cast<void>(sink);
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  fuzz::FileMutation mutation(seed, max_size);
  std::string file(reinterpret_cast<const char*>(data), size);
  mutation.change_safetensors(file);
  return mutation.put(file, data);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using longer::Status;
  std::shared_ptr<const longer::Shards> shards;
  fuzz::accepts({Status::kCorruptData}, [&] {
    std::vector<longer::MappedFile> files;
    files.emplace_back("shard", std::string_view(reinterpret_cast<const char*>(data), size));
    shards = std::make_shared<const longer::Shards>(schema(), std::move(files));
  });
  if (shards == nullptr) return 0;
  for (const bool shuffle : {false, true})
    fuzz::accepts({Status::kCorruptData}, [&] { read_all(shards, shuffle); });
  return 0;
}
