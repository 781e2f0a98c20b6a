#include "core/xxh64.hpp"

#include <cstring>

namespace longer {
namespace {

constexpr uint64_t kPrime1 = 0x9E3779B185EBCA87;
constexpr uint64_t kPrime2 = 0xC2B2AE3D27D4EB4F;
constexpr uint64_t kPrime3 = 0x165667B19E3779F9;
constexpr uint64_t kPrime4 = 0x85EBCA77C2B2AE63;
constexpr uint64_t kPrime5 = 0x27D4EB2F165667C5;

uint64_t rotate(uint64_t value, int bits) { return (value << bits) | (value >> (64 - bits)); }

uint64_t round(uint64_t lane, uint64_t word) { return rotate(lane + word * kPrime2, 31) * kPrime1; }

/// Little-endian numbers from a run of bytes, one after the other.
class ByteReader {
 public:
  ByteReader(const void* bytes, int64_t count)
      : at_(static_cast<const unsigned char*>(bytes)), left_(count) {}
  int64_t left() const { return left_; }

  template <class T>
  uint64_t next() {
    T value;
    std::memcpy(&value, at_, sizeof(T));
    at_ += sizeof(T);
    left_ -= static_cast<int64_t>(sizeof(T));
    return value;
  }

 private:
  const unsigned char* at_;
  int64_t left_;
};

/// Takes whole stripes of 32 bytes through four lanes.
uint64_t stripes(ByteReader& reader) {
  uint64_t lanes[] = {kPrime1 + kPrime2, kPrime2, 0, 0 - kPrime1};
  while (reader.left() >= 32) {
    for (uint64_t& lane : lanes) lane = round(lane, reader.next<uint64_t>());
  }
  uint64_t hash =
      rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
  for (const uint64_t lane : lanes) hash = (hash ^ round(0, lane)) * kPrime1 + kPrime4;
  return hash;
}

}  // namespace

uint64_t xxh64(const void* bytes, int64_t count) {
  ByteReader reader(bytes, count);
  uint64_t hash = count >= 32 ? stripes(reader) : kPrime5;
  hash += static_cast<uint64_t>(count);
  while (reader.left() >= 8) {
    hash = rotate(hash ^ round(0, reader.next<uint64_t>()), 27) * kPrime1 + kPrime4;
  }
  if (reader.left() >= 4) {
    hash = rotate(hash ^ (reader.next<uint32_t>() * kPrime1), 23) * kPrime2 + kPrime3;
  }
  while (reader.left() > 0) {
    hash = rotate(hash ^ (reader.next<uint8_t>() * kPrime5), 11) * kPrime1;
  }
  hash = (hash ^ (hash >> 33)) * kPrime2;
  hash = (hash ^ (hash >> 29)) * kPrime3;
  return hash ^ (hash >> 32);
}

}  // namespace longer
