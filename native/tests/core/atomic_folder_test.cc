#include "core/atomic_folder.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "core/folder_manifest.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown_error.hpp"

namespace longer {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::read_bytes;
using testing::TemporaryFolder;
using testing::thrown_by;
using testing::write_bytes;
using Names = std::vector<std::string>;

constexpr const char* kFormat = "test-folder";

void save(const std::string& path, const std::string& content) {
  AtomicFolderWriter writer(path, kFormat);
  writer.write_text("a.txt", content);
  writer.write_text("empty", "");
  writer.commit();
}

std::string load(const std::string& path) {
  const FolderManifest manifest = FolderManifest::read(path);
  EXPECT_EQ(manifest.format, kFormat);
  EXPECT_EQ(manifest.open(path, "empty").bytes(), 0);
  return std::string(manifest.open(path, "a.txt").text());
}

TEST(AtomicFolder, ReadsBackWhatWasCommitted) {
  const TemporaryFolder folder;
  save(folder / "model", "hello");
  EXPECT_EQ(load(folder / "model"), "hello");
  EXPECT_EQ(folder.names(), Names{"model"});
}

TEST(AtomicFolder, ReplacesAnOlderOneWhole) {
  const TemporaryFolder folder;
  {
    AtomicFolderWriter writer(folder / "model", kFormat);
    writer.write_text("gone", "old");
    writer.commit();
  }
  save(folder / "model", "new");
  EXPECT_EQ(load(folder / "model"), "new");
  EXPECT_FALSE(fs::exists(folder / "model/gone"));
  EXPECT_EQ(folder.names(), Names{"model"});
}

TEST(AtomicFolder, TakesAnEmptyFolderALinkAndATrailingSlash) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "empty");
  save(folder / "empty/", "one");
  EXPECT_EQ(load(folder / "empty"), "one");
  fs::create_symlink("empty", folder / "link");
  save(folder / "link", "two");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(load(folder / "empty"), "two");
}

TEST(AtomicFolder, FollowsTheUmaskAndNotATemporarysMode) {
  const TemporaryFolder folder;
  const mode_t before = ::umask(0027);
  save(folder / "model", "x");
  ::umask(before);
  EXPECT_EQ(static_cast<int>(fs::status(folder / "model").permissions()), 0750);
  EXPECT_EQ(static_cast<int>(fs::status(folder / "model/a.txt").permissions()), 0640);
}

TEST(AtomicFolder, LeavesNothingWhenNotCommitted) {
  const TemporaryFolder folder;
  save(folder / "model", "old");
  {
    AtomicFolderWriter writer(folder / "model", kFormat);
    writer.write_text("a.txt", "half");
    EXPECT_EQ(folder.names().size(), 2U);
  }
  EXPECT_EQ(folder.names(), Names{"model"});
  EXPECT_EQ(load(folder / "model"), "old");
}

TEST(AtomicFolder, NeverDeletesWhatItDidNotWrite) {
  const TemporaryFolder folder;
  write_bytes(folder / "file", "mine");
  expect_error(Status::kInvalidArgument, "is not a folder", [&] { save(folder / "file", "x"); });
  EXPECT_EQ(read_bytes(folder / "file"), "mine");

  fs::create_directory(folder / "photos");
  write_bytes(folder / "photos/cat.jpg", "mine");
  expect_error(Status::kInvalidArgument, "not a test-folder folder",
               [&] { save(folder / "photos", "x"); });
  EXPECT_EQ(read_bytes(folder / "photos/cat.jpg"), "mine");

  save(folder / "model", "old");
  write_bytes(folder / "model/notes.txt", "mine");
  expect_error(Status::kInvalidArgument, "holds notes.txt", [&] { save(folder / "model", "x"); });
  EXPECT_EQ(load(folder / "model"), "old");

  {
    AtomicFolderWriter writer(folder / "other", "other-format");
    writer.commit();
  }
  expect_error(Status::kInvalidArgument, "is a other-format folder",
               [&] { save(folder / "other", "x"); });

  fs::create_symlink("nowhere", folder / "dangling");
  expect_error(Status::kInvalidArgument, "is not a folder",
               [&] { save(folder / "dangling", "x"); });
  EXPECT_EQ(folder.names(), (Names{"dangling", "file", "model", "other", "photos"}));
}

TEST(AtomicFolder, ChecksAgainBeforeItReplaces) {
  const TemporaryFolder folder;
  AtomicFolderWriter writer(folder / "model", kFormat);
  writer.write_text("a.txt", "new");
  fs::create_directory(folder / "model");
  write_bytes(folder / "model/late", "mine");
  expect_error(Status::kInvalidArgument, "not empty", [&] { writer.commit(); });
  EXPECT_EQ(read_bytes(folder / "model/late"), "mine");
}

TEST(AtomicFolder, NamesPathAndReasonOfAFailure) {
  const TemporaryFolder folder;
  expect_error(Status::kInvalidArgument, "must not be empty", [&] { save("", "x"); });
  expect_error(Status::kInvalidArgument, "names no folder", [&] { save("/", "x"); });
  expect_error(Status::kIoError, folder / "missing", [&] { save(folder / "missing/model", "x"); });
  expect_error(Status::kIoError, "No such file or directory",
               [&] { save(folder / "missing/model", "x"); });
  write_bytes(folder / "file", "");
  expect_error(Status::kIoError, "Not a directory", [&] { save(folder / "file/model", "x"); });
  expect_error(Status::kIoError, "File name too long",
               [&] { save(folder / std::string(256, 'n'), "x"); });
}

/// Root may write anywhere, so the attempt runs as nobody in a process of its own.
TEST(AtomicFolder, InAReadOnlyFolderFailsAndKeepsTheOldOne) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "locked");
  save(folder / "locked/model", "old");
  fs::permissions(folder.path(), fs::perms::all);
  fs::permissions(folder / "locked", fs::perms(0555));
  const auto attempt = [&] {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) std::_Exit(3);
    const auto error = thrown_by([&] { save(folder / "locked/model", "new"); });
    const bool expected = error.status == Status::kIoError &&
                          error.message.find("Permission denied") != std::string::npos &&
                          error.message.find("locked") != std::string::npos;
    std::_Exit(expected ? 0 : 1);
  };
  EXPECT_EXIT(attempt(), ::testing::ExitedWithCode(0), "");
  EXPECT_EQ(load(folder / "locked/model"), "old");
  fs::permissions(folder / "locked", fs::perms::owner_all);
}

/// A full disk, as the size limit of a process imitates it.
TEST(AtomicFolder, WhenTheDiskIsFullFailsAndKeepsTheOldOne) {
  const TemporaryFolder folder;
  save(folder / "model", "old");
  const auto attempt = [&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) std::_Exit(3);
    const auto error = thrown_by([&] { save(folder / "model", std::string(5000, 'x')); });
    const bool expected = error.status == Status::kIoError &&
                          error.message.find("cannot write") != std::string::npos &&
                          error.message.find("File too large") != std::string::npos &&
                          folder.names() == Names{"model"};
    std::_Exit(expected ? 0 : 1);
  };
  EXPECT_EXIT(attempt(), ::testing::ExitedWithCode(0), "");
  EXPECT_EQ(load(folder / "model"), "old");
  EXPECT_EQ(folder.names(), Names{"model"});
}

TEST(AtomicFolder, WithoutExchangeReplacesByTwoRenames) {
  const TemporaryFolder folder;
  save(folder / "new", "new");
  save(folder / "model", "old");
  replace_by_two_renames(folder / "new", folder / "model");
  EXPECT_EQ(load(folder / "model"), "new");
  EXPECT_EQ(load(folder / "new"), "old");
  EXPECT_EQ(folder.names(), (Names{"model", "new"}));
}

TEST(AtomicFolder, WithoutExchangePutsTheOldOneBack) {
  const TemporaryFolder folder;
  save(folder / "model", "old");
  expect_error(Status::kIoError, "cannot rename to " + (folder / "model"),
               [&] { replace_by_two_renames(folder / "missing", folder / "model"); });
  EXPECT_EQ(load(folder / "model"), "old");
  EXPECT_EQ(folder.names(), Names{"model"});
}

TEST(AtomicFolder, IsWholeWhenWritersRace) {
  const TemporaryFolder folder;
  save(folder / "model", "0000");
  std::vector<std::thread> writers;
  for (const char content : {'1', '2'}) {
    writers.emplace_back([&folder, content] {
      for (int i = 0; i < 25; ++i) {
        // One may see the other's folder move away during its check and fail; it must not do
        // damage.
        thrown_by([&] { save(folder / "model", std::string(4, content)); });
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  const std::string content = load(folder / "model");
  EXPECT_TRUE(content == "1111" || content == "2222") << content;
  EXPECT_EQ(folder.names(), Names{"model"});
}

TEST(FolderManifest, FindsEveryFlippedBitAndEveryTruncation) {
  const TemporaryFolder folder;
  const std::string path = folder / "model";
  save(path, "some content, long enough");
  for (const char* name : {"a.txt", kManifestName}) {
    const std::string file = path + "/" + name;
    const std::string bytes = read_bytes(file);
    for (size_t i = 0; i < bytes.size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string changed = bytes;
        changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
        write_bytes(file, changed);
        const auto error = thrown_by([&] {
          const FolderManifest manifest = FolderManifest::read(path);
          if (manifest.format != kFormat) fail(Status::kCorruptData, "format");
          manifest.open(path, "a.txt");
          manifest.open(path, "empty");
        });
        ASSERT_TRUE(error.status == Status::kCorruptData || error.status == Status::kUnsupported)
            << name << " byte " << i << " bit " << bit << ": " << error.message;
      }
      write_bytes(file, bytes.substr(0, i));
      const auto error = thrown_by([&] { FolderManifest::read(path).open(path, "a.txt"); });
      // The manifest's last byte is a line feed that means nothing.
      const bool means_nothing = std::string(name) == kManifestName && i + 1 == bytes.size();
      ASSERT_EQ(error.status, means_nothing ? Status::kOk : Status::kCorruptData)
          << name << " cut to " << i;
    }
    write_bytes(file, bytes);
  }
  EXPECT_EQ(load(path), "some content, long enough");
}

TEST(FolderManifest, RejectsNamesThatLeaveTheFolder) {
  for (const char* name : {"../x", "/etc/passwd", "..", ".", "", "MANIFEST.json"}) {
    const std::string json = std::string(R"({"format":"f","format_version":1,"files":{")") + name +
                             R"(":{"bytes":0,"crc32c":"00000000"}}})";
    expect_error(Status::kCorruptData, "is not the name of a file",
                 [&] { FolderManifest::parse(json, "m"); });
  }
}

TEST(FolderManifest, RejectsWhatItDoesNotKnow) {
  const auto parse = [](const std::string& json) {
    return [json] { FolderManifest::parse(json, "/m"); };
  };
  expect_error(Status::kCorruptData, "/m: not a JSON object", parse("["));
  expect_error(Status::kCorruptData, "expected the keys", parse("{}"));
  expect_error(Status::kCorruptData, "expected the keys",
               parse(R"({"format":"f","format_version":1,"files":{},"more":1})"));
  expect_error(Status::kUnsupported, "reads format_version 1; got 2",
               parse(R"({"format":"f","format_version":2,"files":{}})"));
  for (const char* entry :
       {R"({"bytes":-1,"crc32c":"00000000"})", R"({"bytes":1,"crc32c":"0000000"})",
        R"({"bytes":1,"crc32c":"0000000A"})", R"({"bytes":1,"crc32c":0})",
        R"({"bytes":1.5,"crc32c":"00000000"})", R"({"bytes":1})", "7"}) {
    expect_error(
        Status::kCorruptData, "expected bytes and crc32c",
        parse(std::string(R"({"format":"f","format_version":1,"files":{"a":)") + entry + "}}"));
  }
}

TEST(FolderManifest, NamesMissingFiles) {
  const TemporaryFolder folder;
  save(folder / "model", "x");
  const FolderManifest manifest = FolderManifest::read(folder / "model");
  expect_error(Status::kCorruptData, "\"b.txt\" is missing",
               [&] { manifest.open(folder / "model", "b.txt"); });
  fs::remove(folder / "model/a.txt");
  expect_error(Status::kIoError, "a.txt: No such file",
               [&] { manifest.open(folder / "model", "a.txt"); });
  fs::create_directory(folder / "model/a.txt");
  expect_error(Status::kIoError, "not a regular file",
               [&] { manifest.open(folder / "model", "a.txt"); });
  expect_error(Status::kIoError, "MANIFEST.json: No such file",
               [&] { FolderManifest::read(folder / "nowhere"); });
}

}  // namespace
}  // namespace longer
