#include "core/checksum.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace longer {
namespace {

/// One bit at a time, from the definition of the polynomial.
uint32_t by_definition(const std::string& bytes) {
  uint32_t crc = ~uint32_t{0};
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) * 0x82F63B78U);
  }
  return ~crc;
}

std::string pattern(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 1;
  for (char& c : bytes) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return bytes;
}

TEST(Checksum, AgreesWithPublishedValues) {
  // RFC 3720, appendix B.4.
  const std::string zeros(32, '\0');
  const std::string ones(32, '\xFF');
  std::string ascending(32, '\0');
  for (size_t i = 0; i < 32; ++i) ascending[i] = static_cast<char>(i);
  for (const auto checksum : {crc32c, crc32c_portable}) {
    EXPECT_EQ(checksum("", 0, 0), 0U);
    EXPECT_EQ(checksum("123456789", 9, 0), 0xE3069283U);
    EXPECT_EQ(checksum(zeros.data(), 32, 0), 0x8A9136AAU);
    EXPECT_EQ(checksum(ones.data(), 32, 0), 0x62A8AB43U);
    EXPECT_EQ(checksum(ascending.data(), 32, 0), 0x46DD794EU);
  }
}

TEST(Checksum, AgreesWithTheDefinitionAtEveryLengthAndAlignment) {
  for (size_t begin = 0; begin < 8; ++begin) {
    for (size_t size = 0; size < 67; ++size) {
      const std::string bytes = pattern(begin + size);
      const uint32_t expected = by_definition(bytes.substr(begin));
      ASSERT_EQ(crc32c(bytes.data() + begin, size), expected) << begin << " + " << size;
      ASSERT_EQ(crc32c_portable(bytes.data() + begin, size), expected) << begin << " + " << size;
    }
  }
}

TEST(Checksum, OfPiecesIsThatOfTheWhole) {
  const std::string bytes = pattern(1000);
  const uint32_t whole = crc32c(bytes.data(), bytes.size());
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    const uint32_t first = crc32c(bytes.data(), cut);
    ASSERT_EQ(crc32c(bytes.data() + cut, bytes.size() - cut, first), whole) << cut;
  }
}

TEST(Checksum, ChangesWithEveryBitAndEveryTruncation) {
  std::string bytes = pattern(257);
  const uint32_t whole = crc32c(bytes.data(), bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    ASSERT_NE(crc32c(bytes.data(), i), whole) << "cut to " << i;
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      ASSERT_NE(crc32c(bytes.data(), bytes.size()), whole) << "byte " << i << " bit " << bit;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
    }
  }
}

}  // namespace
}  // namespace longer
