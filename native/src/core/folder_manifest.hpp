#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/file.hpp"

namespace longer {

inline constexpr const char* kManifestName = "MANIFEST.json";

/// What a folder's MANIFEST.json says: which files belong to it, their sizes and checksums.
struct FolderManifest {
  struct File {
    int64_t bytes = 0;
    uint32_t checksum = 0;  // CRC-32C
  };
  std::string format;  // what the folder is, for example "longer-model"
  std::map<std::string, File, std::less<>> files;

  /// Two-space indented JSON, keys sorted.
  std::string to_json() const;
  /// Parses strictly: no unknown key, lower-case checksums, file names without '/'. Throws
  /// CorruptData naming `path`.
  static FolderManifest parse(std::string_view json, const std::string& path);
  /// Reads `folder`/MANIFEST.json. Throws IoError, CorruptData, Unsupported for a later
  /// format_version.
  static FolderManifest read(const std::string& folder);

  /// Maps a file of `folder` and compares its size and checksum. Throws CorruptData when they
  /// differ or when the manifest does not name the file, IoError when it cannot be read.
  MappedFile open(const std::string& folder, std::string_view name) const;
  /// As `open`, without reading the file for its checksum.
  MappedFile open_unverified(const std::string& folder, std::string_view name) const;
};

}  // namespace longer
