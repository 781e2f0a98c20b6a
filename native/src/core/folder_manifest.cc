#include "core/folder_manifest.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/checksum.hpp"
#include "longer/error.hpp"

namespace longer {
namespace {

using Json = nlohmann::json;

constexpr int kFormatVersion = 1;

template <class... Parts>
[[noreturn]] void fail_corrupt(const std::string& path, Parts&&... parts) {
  fail(Status::kCorruptData, "[manifest] ", path, ": ", std::forward<Parts>(parts)...);
}

std::string checksum_text(uint32_t checksum) {
  char text[9];
  std::snprintf(text, sizeof(text), "%08x", checksum);
  return text;
}

/// Eight lower-case hexadecimal digits, nothing else: a flipped bit never reads as the same number.
bool read_checksum(const Json& value, uint32_t* checksum) {
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() != 8) return false;
  *checksum = 0;
  for (const char c : text) {
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit && (c < 'a' || c > 'f')) return false;
    *checksum = *checksum * 16 + static_cast<uint32_t>(is_digit ? c - '0' : c - 'a' + 10);
  }
  return true;
}

bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name != kManifestName &&
         name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

FolderManifest::File read_file_entry(const std::string& name, const Json& entry,
                                     const std::string& path) {
  if (!is_plain_name(name)) fail_corrupt(path, "\"", name, "\" is not the name of a file");
  FolderManifest::File file;
  const bool valid = entry.is_object() && entry.size() == 2 && entry.contains("bytes") &&
                     entry["bytes"].is_number_unsigned() &&
                     entry["bytes"].get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX) &&
                     entry.contains("crc32c") && read_checksum(entry["crc32c"], &file.checksum);
  if (!valid) {
    fail_corrupt(path, "file \"", name, "\": expected bytes and crc32c (8 lower-case hexadecimal ",
                 "digits); got ", entry.dump());
  }
  file.bytes = entry["bytes"].get<int64_t>();
  return file;
}

}  // namespace

std::string FolderManifest::to_json() const {
  Json entries = Json::object();
  for (const auto& [name, file] : files) {
    entries[name] = {{"bytes", file.bytes}, {"crc32c", checksum_text(file.checksum)}};
  }
  const Json manifest = {
      {"format", format}, {"format_version", kFormatVersion}, {"files", std::move(entries)}};
  return manifest.dump(2) + "\n";
}

FolderManifest FolderManifest::parse(std::string_view json, const std::string& path) {
  const Json manifest = Json::parse(json, nullptr, false);
  if (manifest.is_discarded() || !manifest.is_object()) fail_corrupt(path, "not a JSON object");
  const bool valid = manifest.size() == 3 && manifest.contains("format") &&
                     manifest["format"].is_string() && manifest.contains("format_version") &&
                     manifest["format_version"].is_number_unsigned() &&
                     manifest.contains("files") && manifest["files"].is_object();
  if (!valid) fail_corrupt(path, "expected the keys format, format_version and files");
  if (manifest["format_version"].get<uint64_t>() != kFormatVersion) {
    fail(Status::kUnsupported, "[manifest] ", path, ": this version reads format_version ",
         kFormatVersion, "; got ", manifest["format_version"].dump());
  }
  FolderManifest result;
  result.format = manifest["format"].get<std::string>();
  for (const auto& item : manifest["files"].items()) {
    result.files[item.key()] = read_file_entry(item.key(), item.value(), path);
  }
  return result;
}

FolderManifest FolderManifest::read(const std::string& folder) {
  const MappedFile file(folder + "/" + kManifestName);
  return parse(file.text(), file.path());
}

MappedFile FolderManifest::open_unverified(const std::string& folder, std::string_view name) const {
  const std::string path = folder + "/" + std::string(name);
  const auto found = files.find(name);
  if (found == files.end()) {
    fail_corrupt(folder + "/" + kManifestName, "file \"", name, "\" is missing");
  }
  MappedFile file(path);
  if (file.bytes() != found->second.bytes) {
    fail_corrupt(path, "got ", file.bytes(), " bytes; the manifest says ", found->second.bytes);
  }
  return file;
}

MappedFile FolderManifest::open(const std::string& folder, std::string_view name) const {
  MappedFile file = open_unverified(folder, name);
  const uint32_t expected = files.find(name)->second.checksum;
  const uint32_t checksum = crc32c(file.data(), static_cast<size_t>(file.bytes()));
  if (checksum != expected) {
    fail_corrupt(file.path(), "got checksum ", checksum_text(checksum), "; the manifest says ",
                 checksum_text(expected));
  }
  return file;
}

}  // namespace longer
