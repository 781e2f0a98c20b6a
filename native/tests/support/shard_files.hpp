#pragma once
#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/atomic_folder.hpp"
#include "core/safetensors.hpp"

namespace longer::testing {

/// Tensors of a shard as another program would write them, so that a test can spoil one.
class ShardFile {
 public:
  template <class T>
  void set(const std::string& name, Dtype dtype, const std::vector<T>& values) {
    Tensor& tensor = tensors_[name];
    tensor.dtype = dtype;
    tensor.shape = {static_cast<int64_t>(values.size())};
    tensor.bytes.assign(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }
  void integers(const std::string& name, const std::vector<int64_t>& values) {
    set(name, Dtype::kI64, values);
  }
  void floats(const std::string& name, const std::vector<float>& values) {
    set(name, Dtype::kF32, values);
  }
  void flags(const std::string& name, const std::vector<uint8_t>& values) {
    set(name, Dtype::kBool, values);
  }
  void logs(const std::vector<int32_t>& values) { set("request.log", Dtype::kI32, values); }
  void remove(const std::string& name) { tensors_.erase(name); }

  void write(OutputFile& file) const {
    std::vector<std::pair<std::string, Tensor>> order(tensors_.begin(), tensors_.end());
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
      return dtype_bytes(a.second.dtype) > dtype_bytes(b.second.dtype);
    });
    std::vector<TensorSpec> specs;
    for (const auto& [name, tensor] : order) specs.push_back({name, tensor.dtype, tensor.shape});
    SafetensorsWriter writer(file, std::move(specs));
    for (const auto& [name, tensor] : order)
      writer.append(name, tensor.bytes.data(), static_cast<int64_t>(tensor.bytes.size()));
    writer.finish();
  }

 private:
  struct Tensor {
    Dtype dtype = Dtype::kF32;
    std::vector<int64_t> shape;
    std::string bytes;
  };
  std::map<std::string, Tensor> tensors_;
};

/// All kinds of columns in every group.
inline constexpr const char* kShardSchemaJson = R"({"format_version": 1,
  "event_features": [{"name": "item"}, {"name": "tags", "values": "many"},
                     {"name": "price", "kind": "numeric"}],
  "user_features": [{"name": "country"}],
  "context_features": [{"name": "hours", "kind": "numeric"}],
  "candidate_features": [{"name": "item"}, {"name": "words", "values": "many"}],
  "tasks": [{"name": "click"}, {"name": "buy"}]})";

/// A valid shard of kShardSchemaJson: users 7 (events 0 … 2) and 9 (none); requests 0 and 1 of user
/// 7 with 2 and 3 events, request 2 of user 9; 2, 0 and 1 candidates.
inline ShardFile small_shard() {
  constexpr float kMissing = __builtin_nanf("");
  ShardFile shard;
  shard.integers("log.user", {7, 9});
  shard.integers("log.offsets", {0, 3, 3});
  shard.integers("event.time", {10, 20, 30});
  shard.integers("event.item.ids", {-1, 0, int64_t{1} << 62});
  shard.flags("event.item.valid", {1, 0, 1});
  shard.integers("event.tags.ids", {4, 5, 5});
  shard.integers("event.tags.offsets", {0, 0, 1, 3});
  shard.floats("event.price.numbers", {0.5F, kMissing, -2.0F});
  shard.logs({0, 0, 1});
  shard.integers("request.history_begin", {0, 0, 3});
  shard.integers("request.history_end", {2, 3, 3});
  shard.integers("request.first_ordinal", {0, 0, 5});
  shard.integers("request.reference_time", {25, 30, 1});
  shard.integers("user.country.ids", {49, 49, 1});
  shard.floats("context.hours.numbers", {1.0F, 2.0F, kMissing});
  shard.integers("candidate.offsets", {0, 2, 2, 3});
  shard.integers("candidate.item.ids", {100, 101, 102});
  shard.integers("candidate.words.ids", {8});
  shard.integers("candidate.words.offsets", {0, 0, 1, 1});
  shard.floats("label.click", {1.0F, 0.0F, 0.25F});
  shard.floats("label.buy", {0.0F, kMissing, 1.0F});
  shard.floats("weight", {1.0F, 2.0F, 0.0F});
  return shard;
}

/// Writes a shard folder of kShardSchemaJson.
inline void write_shards(const std::string& path, const std::vector<ShardFile>& shards,
                         const std::string& schema = kShardSchemaJson) {
  AtomicFolderWriter folder(path, "longer-shards");
  folder.write_text("schema.json", schema);
  for (size_t i = 0; i < shards.size(); ++i) {
    std::string number = std::to_string(i);
    number.insert(0, 5 - number.size(), '0');
    shards[i].write(folder.create("shard-" + number + ".safetensors"));
  }
  folder.commit();
}

}  // namespace longer::testing
