#pragma once
#include <cstddef>
#include <cstdint>

namespace longer {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `bytes` bytes, continuing from `previous`:
/// crc32c(ab) = crc32c(b, crc32c(a)). The checksum of nothing is 0.
///
/// Finds every change confined to 32 neighbouring bits, and any other with probability 1 − 2⁻³².
/// Uses the processor's instruction where there is one (about 8 bytes in 3 cycles). Safe from any
/// thread.
uint32_t crc32c(const void* data, size_t bytes, uint32_t previous = 0);

/// The same by table, whatever the processor; the twin that tests compare with.
uint32_t crc32c_portable(const void* data, size_t bytes, uint32_t previous = 0);

}  // namespace longer
