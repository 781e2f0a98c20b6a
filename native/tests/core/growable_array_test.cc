#include "core/growable_array.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "support/thrown_error.hpp"

namespace longer {
namespace {

using testing::thrown_by;

constexpr int64_t kMany = int64_t{1} << 31;

TEST(GrowableArray, KeepsAddressesAndValuesWhileItGrows) {
  GrowableArray<int64_t> array(kMany);
  array.reserve(1);
  int64_t* const first = array.data();
  array[0] = 42;
  for (int64_t count = 1000; count < 20'000'000; count *= 3) {
    array.reserve(count);
    ASSERT_EQ(array.data(), first);
    ASSERT_EQ(array[0], 42);
    ASSERT_EQ(array[count / 2], 0) << "new elements are 0";
    array[count - 1] = count;
    ASSERT_EQ(first[count - 1], count);
    ASSERT_LE(array.bytes(), 2 * count * 8 + (1 << 16)) << "grows by doubling";
  }
}

TEST(GrowableArray, RefusesMoreThanItsMost) {
  GrowableBytes bytes(100'000);
  EXPECT_GE(bytes.most(), 100'000U);
  bytes.reserve(100'000);
  static_cast<char*>(bytes.data())[99'999] = 'x';
  const auto error = thrown_by([&] { bytes.reserve(bytes.most() + 1); });
  EXPECT_EQ(error.status, Status::kOutOfMemory);
  EXPECT_NE(error.message.find("reserved"), std::string::npos) << error.message;
  EXPECT_EQ(static_cast<char*>(bytes.data())[99'999], 'x') << "keeps what it holds";
}

TEST(GrowableArray, ManyStandSideBySide) {
  std::vector<std::unique_ptr<GrowableArray<float>>> arrays;
  for (int i = 0; i < 200; ++i) {
    arrays.push_back(std::make_unique<GrowableArray<float>>(kMany));
    arrays.back()->reserve(1000);
    (*arrays.back())[999] = static_cast<float>(i);
  }
  for (int i = 0; i < 200; ++i) EXPECT_EQ((*arrays[static_cast<size_t>(i)])[999], i);
}

/// In a process whose address space is limited, arrays work until their share of it is used up.
TEST(GrowableArray, WorksUnderALimitOfAddressesAndThenSaysSo) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers reserve more addresses than the limit";
#endif
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const struct rlimit limit = {size_t{1} << 30, size_t{1} << 30};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(10);
    GrowableArray<float> array(kMany);
    array.reserve(1'000'000);
    array[999'999] = 1.0F;
    if (array[999'999] != 1.0F) ::_exit(11);
    const auto error = thrown_by([&] { array.reserve(100'000'000); });
    if (error.status != Status::kOutOfMemory) ::_exit(12);
    if (error.message.find("ulimit -v") == std::string::npos) ::_exit(13);
    if (array[999'999] != 1.0F) ::_exit(14);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace longer
