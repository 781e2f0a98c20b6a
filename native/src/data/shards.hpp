#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/shard.hpp"

namespace longer {

inline constexpr const char* kShardsFormat = "longer-shards";
inline constexpr const char* kShardSchemaName = "schema.json";
/// "shard-00000.safetensors" …
std::string shard_name(int64_t index);

/// Sums over a shard folder.
struct ShardCounts {
  int64_t shards = 0;
  int64_t logs = 0;
  int64_t events = 0;  // stored ones; histories that overlap share them
  int64_t requests = 0;
  int64_t candidates = 0;
  int64_t bytes = 0;  // of the shard files
};

/// A shard folder, mapped (native/docs/shard-format.md). Its requests are numbered in stored order
/// over all shards. Immutable; safe from any thread. The files must not be changed in place.
class Shards {
 public:
  /// Checks manifest, schema, sizes and headers; with `verify` also every checksum, which reads all
  /// files once. Throws IoError, CorruptData, Unsupported naming the file.
  Shards(const std::string& path, bool verify);
  /// Shards without a folder, in this order.
  Shards(ShardSchema schema, std::vector<MappedFile> files);

  const ShardSchema& schema() const { return schema_; }
  const ShardCounts& counts() const { return counts_; }
  /// Checksum of the manifest, which holds the checksums of all files: equal for equal data.
  uint32_t fingerprint() const { return fingerprint_; }

  struct Place {
    const Shard* shard;
    int64_t request;
  };
  /// Where request i, 0 ≤ i < counts().requests, lies.
  Place place(int64_t i) const;

 private:
  void add(MappedFile file);

  ShardSchema schema_;
  ShardCounts counts_;
  uint32_t fingerprint_ = 0;
  std::vector<std::unique_ptr<const Shard>> shards_;
  std::vector<int64_t> request_ends_;  // requests of shards 0 … s
};

}  // namespace longer
