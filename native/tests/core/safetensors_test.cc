#include "core/safetensors.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "support/temporary_folder.hpp"
#include "support/thrown_error.hpp"

namespace longer {
namespace {

using testing::expect_error;
using testing::read_bytes;
using testing::TemporaryFolder;
using testing::thrown_by;
using testing::write_bytes;

/// A file with this header, rounded up to a multiple of 8, and so many bytes of data.
std::string file_of(std::string header, size_t data_bytes) {
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const uint64_t length = header.size();
  std::string bytes(sizeof(length), '\0');
  std::memcpy(bytes.data(), &length, sizeof(length));
  return bytes + header + std::string(data_bytes, '\1');
}

class SafetensorsFile : public ::testing::Test {
 protected:
  SafetensorsReader read(const std::string& bytes) {
    const std::string path = folder_ / "file.safetensors";
    write_bytes(path, bytes);
    return SafetensorsReader(MappedFile(path));
  }
  void expect_corrupt(const std::string& header, size_t data_bytes, const std::string& part) {
    SCOPED_TRACE(header);
    expect_error(Status::kCorruptData, part, [&] { read(file_of(header, data_bytes)); });
    expect_error(Status::kCorruptData, folder_ / "file.safetensors",
                 [&] { read(file_of(header, data_bytes)); });
  }

  TemporaryFolder folder_;
};

std::string write_small_file(const std::string& path) {
  OutputFile file(path);
  SafetensorsWriter writer(file, {{"ids", Dtype::kI64, {2}},
                                  {"empty", Dtype::kF32, {0, 7}},
                                  {"rows", Dtype::kF32, {3, 2}},
                                  {"scalar", Dtype::kF32, {}}});
  const int64_t ids[2] = {-5, int64_t{1} << 60};
  const float rows[6] = {1, 2, 3, 4, 5, 6};
  const float scalar = 0.5F;
  writer.append("ids", ids, 16);
  writer.append("rows", rows, 8);
  writer.append("rows", rows + 2, 16);
  writer.append("scalar", &scalar, 4);
  writer.finish();
  file.sync_and_close();
  return read_bytes(path);
}

TEST_F(SafetensorsFile, ReadsWhatWasWritten) {
  const std::string bytes = write_small_file(folder_ / "written");
  const SafetensorsReader reader = read(bytes);
  ASSERT_EQ(reader.tensors().size(), 4U);
  const auto* ids = reader.values<int64_t>("ids", {2});
  EXPECT_EQ(ids[0], -5);
  EXPECT_EQ(ids[1], int64_t{1} << 60);
  const auto* rows = reader.values<float>("rows", {-1, 2});
  for (int i = 0; i < 6; ++i) EXPECT_EQ(rows[i], static_cast<float>(i + 1));
  EXPECT_EQ(*reader.values<float>("scalar", {}), 0.5F);
  EXPECT_EQ(reader.require("empty", Dtype::kF32, {0, 7}).bytes, 0);
}

TEST_F(SafetensorsFile, StartsItsDataAtAMultipleOfEight) {
  const std::string bytes = write_small_file(folder_ / "written");
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  EXPECT_EQ(length % 8, 0U);
  EXPECT_EQ(bytes[8], '{');
}

TEST_F(SafetensorsFile, WithoutTensorsIsValid) {
  OutputFile file(folder_ / "none");
  SafetensorsWriter(file, {}).finish();
  file.sync_and_close();
  EXPECT_TRUE(SafetensorsReader(MappedFile(folder_ / "none")).tensors().empty());
}

TEST_F(SafetensorsFile, IsRejectedWhenCutAnywhereOrContinued) {
  const std::string bytes = write_small_file(folder_ / "written");
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_EQ(thrown_by([&] { read(bytes.substr(0, size)); }).status, Status::kCorruptData) << size;
  }
  expect_error(Status::kCorruptData, "the tensors end at", [&] { read(bytes + "x"); });
}

TEST_F(SafetensorsFile, NeverCrashesOnAChangedByte) {
  const std::string bytes = write_small_file(folder_ / "written");
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), sizeof(header_bytes));
  for (size_t i = 0; i < 8 + header_bytes; ++i) {
    for (int mask : {1, 4, 32, 255}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ mask);
      const auto error = thrown_by([&] {
        const SafetensorsReader reader = read(changed);
        unsigned sum = 0;
        for (const auto& [name, tensor] : reader.tensors()) {
          for (int64_t b = 0; b < tensor.bytes; ++b) sum += static_cast<unsigned>(tensor.data[b]);
        }
        ASSERT_GT(sum, 0U);
      });
      ASSERT_TRUE(error.status == Status::kOk || error.status == Status::kCorruptData)
          << error.message;
    }
  }
}

TEST_F(SafetensorsFile, WithAMalformedHeaderIsRejected) {
  expect_corrupt("", 0, "must start with {");
  expect_corrupt("[]", 0, "must start with {");
  expect_corrupt("{", 0, "not valid JSON");
  expect_corrupt("{\"a\xFF\":1}", 0, "not valid JSON");
  expect_corrupt(R"({"a":1})", 0, "is not an object");
  expect_corrupt(R"({"a":{"shape":[],"data_offsets":[0,4]}})", 4, "no dtype");
  expect_corrupt(R"({"a":{"dtype":"F33","shape":[],"data_offsets":[0,4]}})", 4, "unknown dtype");
  expect_corrupt(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4, "shape must be an array");
  expect_corrupt(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4,
                 "integers of 0 or more");
  expect_corrupt(R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4,
                 "integers of 0 or more");
  expect_corrupt(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4, "must ascend");
  expect_corrupt(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "must ascend");
  expect_corrupt(R"({"a":[[[[[[0]]]]]]})", 0, "nests too deeply");
}

TEST_F(SafetensorsFile, WithANameTwiceIsRejected) {
  const std::string tensor = R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  expect_corrupt(R"({"a":)" + tensor + R"(,"a":)" + tensor + "}", 4, "names \"a\" twice");
  expect_corrupt(R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4,
                 "names \"dtype\" twice");
}

TEST_F(SafetensorsFile, WithOverlapGapOrOverrunIsRejected) {
  const auto two = [](const std::string& a, const std::string& b) {
    return R"({"a":{"dtype":"F32","shape":[2],"data_offsets":)" + a +
           R"(},"b":{"dtype":"F32","shape":[2],"data_offsets":)" + b + "}}";
  };
  EXPECT_EQ(read(file_of(two("[0,8]", "[8,16]"), 16)).tensors().size(), 2U);
  expect_corrupt(two("[0,8]", "[4,12]"), 12, "starts at 4");
  expect_corrupt(two("[0,8]", "[0,8]"), 8, "starts at 0");
  expect_corrupt(two("[0,8]", "[12,20]"), 20, "starts at 12");
  expect_corrupt(two("[0,8]", "[8,16]"), 15, "within 15 bytes");
  expect_corrupt(two("[0,8]", "[8,16]"), 17, "the tensors end at 16");
}

TEST_F(SafetensorsFile, WithShapesThatOverflowOrDoNotFillTheirBytesIsRejected) {
  const auto shaped = [](const std::string& shape) {
    return R"({"a":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":[0,8]}})";
  };
  EXPECT_EQ(read(file_of(shaped("[2]"), 8)).tensors().size(), 1U);
  expect_corrupt(shaped("[3]"), 8, "does not fill 8 bytes");
  expect_corrupt(shaped("[4611686018427387906]"), 8, "does not fill 8 bytes");  // · 4 wraps to 8
  expect_corrupt(shaped("[9223372036854775807,9223372036854775807]"), 8, "does not fill");
  expect_corrupt(shaped("[18446744073709551615]"), 8, "integers of 0 or more");
}

TEST_F(SafetensorsFile, WithMisalignedTensorIsRejected) {
  expect_corrupt(
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})",
      5, "not aligned");
}

TEST_F(SafetensorsFile, WithAnExcessiveHeaderLengthIsRejected) {
  std::string bytes(16, '{');
  const uint64_t over = (uint64_t{16} << 20) + 1;
  std::memcpy(bytes.data(), &over, sizeof(over));
  expect_error(Status::kCorruptData, "over 16 MiB", [&] { read(bytes); });
  const uint64_t wrapping = ~uint64_t{0};
  std::memcpy(bytes.data(), &wrapping, sizeof(wrapping));
  expect_error(Status::kCorruptData, "over 16 MiB", [&] { read(bytes); });
  const uint64_t beyond = 9;
  std::memcpy(bytes.data(), &beyond, sizeof(beyond));
  expect_error(Status::kCorruptData, "exceeds the file's 16 bytes", [&] { read(bytes); });
}

TEST_F(SafetensorsFile, RequiresNameTypeAndShape) {
  const SafetensorsReader reader = read(write_small_file(folder_ / "written"));
  expect_error(Status::kCorruptData, "\"row\" is missing", [&] {
    reader.values<float>("row", {3, 2});
  });
  expect_error(Status::kCorruptData, "must be I64; got F32", [&] {
    reader.values<int64_t>("rows", {3, 2});
  });
  expect_error(Status::kCorruptData, "must have shape [2, 3]; got [3, 2]", [&] {
    reader.values<float>("rows", {2, 3});
  });
  expect_error(Status::kCorruptData, "must have shape [6]",
               [&] { reader.values<float>("rows", {6}); });
}

TEST_F(SafetensorsFile, AddressesDataBeyondFourGibibytes) {
  const int64_t rows = (int64_t{9} << 30) / 8;  // 9 GiB of holes and one number at the end
  const std::string header = R"({"a":{"dtype":"I64","shape":[)" + std::to_string(rows) +
                             R"(],"data_offsets":[0,)" + std::to_string(rows * 8) + "]}}";
  const std::string bytes = file_of(header, 0);
  const std::string path = folder_ / "large";
  write_bytes(path, bytes);
  const int64_t whole = static_cast<int64_t>(bytes.size()) + rows * 8;
  std::filesystem::resize_file(path, static_cast<uintmax_t>(whole));
  {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    const int64_t mark = 77;
    file.seekp(whole - 8);
    file.write(reinterpret_cast<const char*>(&mark), 8);
    ASSERT_TRUE(file.good());
  }
  const SafetensorsReader reader{MappedFile(path)};
  const auto* values = reader.values<int64_t>("a", {rows});
  EXPECT_EQ(values[0], 0);
  EXPECT_EQ(values[rows - 1], 77);
}

TEST_F(SafetensorsFile, IsWrittenInDeclaredOrderOnly) {
  const auto write = [&](const auto& body) {
    std::filesystem::remove(folder_ / "bad");
    OutputFile file(folder_ / "bad");
    SafetensorsWriter writer(file, {{"a", Dtype::kF32, {2}}, {"b", Dtype::kF32, {1}}});
    body(writer);
  };
  const float values[3] = {1, 2, 3};
  expect_error(Status::kInvalidArgument, "expected bytes of \"a\"",
               [&] { write([&](SafetensorsWriter& w) { w.append("b", values, 4); }); });
  expect_error(Status::kInvalidArgument, "has room for 8 bytes; got 12",
               [&] { write([&](SafetensorsWriter& w) { w.append("a", values, 12); }); });
  expect_error(Status::kInvalidArgument, "\"a\" is not complete", [&] {
    write([&](SafetensorsWriter& w) {
      w.append("a", values, 4);
      w.finish();
    });
  });
}

TEST_F(SafetensorsFile, IsNotWrittenFromBadDeclarations) {
  const auto declare = [&](std::vector<TensorSpec> specs) {
    std::filesystem::remove(folder_ / "bad");
    OutputFile file(folder_ / "bad");
    SafetensorsWriter writer(file, std::move(specs));
  };
  expect_error(Status::kInvalidArgument, "declared twice", [&] {
    declare({{"a", Dtype::kF32, {1}}, {"a", Dtype::kF32, {1}}});
  });
  expect_error(Status::kInvalidArgument, "would not be aligned", [&] {
    declare({{"a", Dtype::kF32, {1}}, {"b", Dtype::kI64, {1}}});
  });
  expect_error(Status::kInvalidArgument, "no valid shape", [&] {
    declare({{"a", Dtype::kF32, {-1}}});
  });
}

}  // namespace
}  // namespace longer
