// A table file over 4 GiB, written with holes so that it takes no disk.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "core/checksum.hpp"
#include "core/folder_manifest.hpp"
#include "core/safetensors.hpp"
#include "model/model_folder.hpp"
#include "support/cases.hpp"
#include "support/random_model.hpp"
#include "support/temporary_folder.hpp"

namespace longer {
namespace {

using testing::film_config;
using testing::TemporaryFolder;

constexpr int64_t kWidth = 1024;
constexpr int64_t kIds = (int64_t{5} << 30) / (kWidth * 4);  // rows alone are 5 GiB

int64_t id_of(int64_t i) { return 3 * i - kIds; }

Config config() {
  Config c = film_config();
  c.tables = {{"movie", kWidth, 0}, {"genre", 2, 5}, {"user", 2, 5}, {"hour", 2, 3}};
  return c;
}

/// tables.safetensors with the ids, the last row's values, and a hole in between.
void write_table(const std::string& path) {
  const int64_t ids_bytes = kIds * 8;
  const int64_t rows_bytes = (kIds + 1) * kWidth * 4;
  std::string header = R"({"table.movie.ids":{"dtype":"I64","shape":[)" + std::to_string(kIds) +
                       R"(],"data_offsets":[0,)" + std::to_string(ids_bytes) +
                       R"(]},"table.movie.rows":{"dtype":"F32","shape":[)" +
                       std::to_string(kIds + 1) + "," + std::to_string(kWidth) +
                       R"(],"data_offsets":[)" + std::to_string(ids_bytes) + "," +
                       std::to_string(ids_bytes + rows_bytes) + "]}}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const uint64_t length = header.size();
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < kIds; ++i) ids.push_back(id_of(i));
  {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), sizeof(length));
    file << header;
    file.write(reinterpret_cast<const char*>(ids.data()), ids_bytes);
  }
  const auto bytes = static_cast<uint64_t>(ids_bytes + rows_bytes) + sizeof(length) + length;
  std::filesystem::resize_file(path, bytes);
  std::vector<float> last;
  for (int64_t c = 0; c < kWidth; ++c) last.push_back(static_cast<float>(c) + 0.5F);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(-kWidth * 4, std::ios::end);
  file.write(reinterpret_cast<const char*>(last.data()), kWidth * 4);
}

int64_t available_bytes() {
  std::ifstream file("/proc/meminfo");
  std::string word;
  while (file >> word) {
    int64_t kibibytes = 0;
    if (word == "MemAvailable:" && file >> kibibytes) return kibibytes * 1024;
  }
  return 0;
}

TEST(LargeTable, OfFiveGibibytesIsMappedAndRead) {
  const TemporaryFolder folder;
  const std::string path = folder / "model";
  save_model(*testing::random_state(config(), 3), path);
  const std::string file = path + "/tables.safetensors";
  write_table(file);
  ASSERT_GT(std::filesystem::file_size(file), uint64_t{5} << 30);
  FolderManifest manifest = FolderManifest::read(path);
  {
    const SafetensorsReader reader{MappedFile(file)};
    const float* rows = reader.values<float>("table.movie.rows", {kIds + 1, kWidth});
    EXPECT_EQ(rows[kIds * kWidth + 7], 7.5F);
    EXPECT_EQ(rows[kIds * kWidth - 1], 0.0F);
    EXPECT_EQ(reader.values<int64_t>("table.movie.ids", {kIds})[kIds - 1], id_of(kIds - 1));
    const MappedFile mapped(file);
    manifest.files["tables.safetensors"] = {
        mapped.bytes(), crc32c(mapped.data(), static_cast<size_t>(mapped.bytes()))};
  }
  testing::write_bytes(path + "/" + kManifestName, manifest.to_json());
  if (available_bytes() < int64_t{7} << 30) {
    GTEST_SKIP() << "mapped and read; less than 7 GiB of memory are free to load it into a table";
  }
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "mapped and read; sanitizers need a multiple of the table's memory";
#endif
  const auto state = load_model(path);
  const EmbeddingTable& table = *state->tables[0];
  EXPECT_EQ(table.num_ids(), kIds);
  for (const int64_t i : {int64_t{0}, kIds / 2, kIds - 1}) {
    const int64_t id = id_of(i);
    int32_t row = -1;
    table.lookup(&id, 1, &row);
    EXPECT_EQ(row, i + 1);
    EXPECT_EQ(table.values()[row * kWidth + 7], i == kIds - 1 ? 7.5F : 0.0F);
  }
  EXPECT_GT(table.bytes(), int64_t{5} << 30);
}

}  // namespace
}  // namespace longer
