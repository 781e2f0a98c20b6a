#include "data/shards.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/checksum.hpp"
#include "core/folder_manifest.hpp"
#include "longer/error.hpp"

namespace longer {
namespace {

ShardSchema read_schema(const FolderManifest& manifest, const std::string& path) {
  const MappedFile file = manifest.open(path, kShardSchemaName);
  try {
    return ShardSchema::parse(file.text());
  } catch (const Error& e) {
    if (e.status() != Status::kInvalidArgument) throw;
    fail(Status::kCorruptData, "[shards] ", file.path(), ": ", e.what());
  }
}

}  // namespace

std::string shard_name(int64_t index) {
  char text[48];
  std::snprintf(text, sizeof(text), "shard-%05lld.safetensors", static_cast<long long>(index));
  return text;
}

Shards::Shards(const std::string& path, bool verify) {
  FolderManifest manifest;
  {
    const MappedFile file(path + "/" + kManifestName);
    manifest = FolderManifest::parse(file.text(), file.path());
    fingerprint_ = crc32c(file.data(), static_cast<size_t>(file.bytes()));
  }
  if (manifest.format != kShardsFormat) {
    fail(Status::kCorruptData, "[shards] ", path, " is a ", manifest.format, " folder; expected ",
         kShardsFormat);
  }
  schema_ = read_schema(manifest, path);
  // Shard i must be there for each i, so any other name makes one of them missing.
  const auto num_shards = static_cast<int64_t>(manifest.files.size()) - 1;
  for (int64_t i = 0; i < num_shards; ++i) {
    const std::string name = shard_name(i);
    MappedFile file = verify ? manifest.open(path, name) : manifest.open_unverified(path, name);
    add(std::move(file));
  }
}

Shards::Shards(ShardSchema schema, std::vector<MappedFile> files) : schema_(std::move(schema)) {
  for (MappedFile& file : files) add(std::move(file));
}

void Shards::add(MappedFile file) {
  file.expect_random_access();
  counts_.bytes += file.bytes();
  shards_.push_back(std::make_unique<const Shard>(std::move(file), schema_));
  const Shard& shard = *shards_.back();
  ++counts_.shards;
  counts_.logs += shard.num_logs();
  counts_.events += shard.num_events();
  counts_.requests += shard.num_requests();
  counts_.candidates += shard.num_candidates();
  request_ends_.push_back(counts_.requests);
}

Shards::Place Shards::place(int64_t i) const {
  const auto shard = static_cast<size_t>(
      std::upper_bound(request_ends_.begin(), request_ends_.end(), i) - request_ends_.begin());
  return {shards_[shard].get(), i - (shard == 0 ? 0 : request_ends_[shard - 1])};
}

}  // namespace longer
