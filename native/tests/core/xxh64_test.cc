#include "core/xxh64.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace longer {
namespace {

uint64_t hash(const std::string& text) {
  return xxh64(text.data(), static_cast<int64_t>(text.size()));
}

TEST(Xxh64, HasThePublishedValuesOfTexts) {
  EXPECT_EQ(hash(""), 0xEF46DB3751D8E999U);
  EXPECT_EQ(hash("a"), 0xD24EC4F1A98C6E5BU);
  EXPECT_EQ(hash("abc"), 0x44BC2CF5AD770999U);
  EXPECT_EQ(hash("Nobody inspects the spammish repetition"), 0xFBCEA83C8A378BF1U);
  EXPECT_EQ(hash("The quick brown fox jumps over the lazy dog"), 0x0B242D361FDA71BCU);
}

TEST(Xxh64, HasThePublishedValuesOfTheSanityBuffer) {
  // The self test of the original: bytes from the squares of a prime.
  std::vector<unsigned char> buffer;
  uint32_t generator = 2654435761U;
  for (int i = 0; i < 101; ++i) {
    buffer.push_back(static_cast<unsigned char>(generator >> 24));
    generator *= generator;
  }
  EXPECT_EQ(xxh64(buffer.data(), 1), 0x4FCE394CC88952D8U);
  EXPECT_EQ(xxh64(buffer.data(), 14), 0xCFFA8DB881BC3A3DU);
  EXPECT_EQ(xxh64(buffer.data(), 101), 0x0EAB543384F878ADU);
  // Where the bytes lie does not matter.
  std::vector<unsigned char> shifted(1, 0);
  shifted.insert(shifted.end(), buffer.begin(), buffer.end());
  EXPECT_EQ(xxh64(shifted.data() + 1, 101), 0x0EAB543384F878ADU);
}

}  // namespace
}  // namespace longer
