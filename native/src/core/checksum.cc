#include "core/checksum.hpp"

#include <array>
#include <cstring>

namespace longer {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;  // bit-reversed 0x1EDC6F41

using Tables = std::array<std::array<uint32_t, 256>, 8>;

/// tables[k][b]: what byte b contributes when k more bytes follow it.
constexpr Tables make_tables() {
  Tables tables{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][b] = crc;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t b = 0; b < 256; ++b) {
      const uint32_t before = tables[k - 1][b];
      tables[k][b] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

uint32_t update_by_table(uint32_t crc, const unsigned char* p, size_t bytes) {
  for (; bytes >= 8; bytes -= 8, p += 8) {
    uint32_t mixed = 0;
    for (size_t i = 0; i < 4; ++i) {
      const auto shift = static_cast<uint32_t>(8 * i);
      mixed ^= kTables[7 - i][((crc >> shift) & 0xFF) ^ p[i]];
      mixed ^= kTables[3 - i][p[4 + i]];
    }
    crc = mixed;
  }
  for (; bytes > 0; --bytes, ++p) crc = (crc >> 8) ^ kTables[0][(crc & 0xFF) ^ *p];
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t update_by_instruction(uint32_t crc,
                                                                 const unsigned char* p,
                                                                 size_t bytes) {
  uint64_t wide = crc;
  for (; bytes >= 8; bytes -= 8, p += 8) {
    uint64_t word = 0;
    std::memcpy(&word, p, 8);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  crc = static_cast<uint32_t>(wide);
  for (; bytes > 0; --bytes, ++p) crc = __builtin_ia32_crc32qi(crc, *p);
  return crc;
}

bool has_instruction() {
  static const bool has = __builtin_cpu_supports("sse4.2") != 0;
  return has;
}
#endif

}  // namespace

uint32_t crc32c(const void* data, size_t bytes, uint32_t previous) {
#if defined(__x86_64__)
  if (has_instruction()) {
    return ~update_by_instruction(~previous, static_cast<const unsigned char*>(data), bytes);
  }
#endif
  return crc32c_portable(data, bytes, previous);
}

uint32_t crc32c_portable(const void* data, size_t bytes, uint32_t previous) {
  return ~update_by_table(~previous, static_cast<const unsigned char*>(data), bytes);
}

}  // namespace longer
