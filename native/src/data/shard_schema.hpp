#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace longer {

/// What a column holds per row.
enum class ColumnKind {
  kOne,      ///< one id, or none
  kMany,     ///< any number of ids
  kNumeric,  ///< one number, or none (NaN)
};

/// A column of a shard.
struct ShardColumn {
  std::string name;
  ColumnKind kind = ColumnKind::kOne;
};

/// Which columns shards hold: the features of a configuration without tables and widths, so that
/// one set of shards serves every architecture. `schema.json` of a shard folder
/// (native/docs/shard-format.md).
struct ShardSchema {
  std::vector<ShardColumn> event;
  std::vector<ShardColumn> user;
  std::vector<ShardColumn> context;
  std::vector<ShardColumn> candidate;
  std::vector<std::string> tasks;

  /// Parses strictly: no unknown key, no name twice. Throws InvalidArgument naming the JSON
  /// pointer, Unsupported for a later format_version.
  static ShardSchema parse(std::string_view json);
  /// Every key present, keys sorted, two-space indent.
  std::string to_json() const;
};

}  // namespace longer
