package ai.longer.data;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Ids of text: XXH64 (xxhash.com, seed 0) of its UTF-8 bytes, as {@code longer_hash_id} of the C
 * ABI.
 *
 * <p>Every 64-bit number is an id: a missing value is told apart by its column, never by its id.
 */
public final class StringIds {
  private static final long PRIME1 = 0x9E3779B185EBCA87L;
  private static final long PRIME2 = 0xC2B2AE3D27D4EB4FL;
  private static final long PRIME3 = 0x165667B19E3779F9L;
  private static final long PRIME4 = 0x85EBCA77C2B2AE63L;
  private static final long PRIME5 = 0x27D4EB2F165667C5L;

  private StringIds() {}

  /** Returns the id of a text. */
  public static long hash(String text) {
    return hash(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Returns the hashes of texts in their order. */
  static long[] hashAll(String[] texts) {
    long[] ids = new long[texts.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = hash(texts[i]);
    }
    return ids;
  }

  private static long hash(byte[] bytes) {
    ByteBuffer rest = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long hash = bytes.length >= 32 ? stripes(rest) : PRIME5;
    hash += bytes.length;
    while (rest.remaining() >= 8) {
      hash = Long.rotateLeft(hash ^ round(0, rest.getLong()), 27) * PRIME1 + PRIME4;
    }
    if (rest.remaining() >= 4) {
      long word = rest.getInt() & 0xFFFFFFFFL;
      hash = Long.rotateLeft(hash ^ (word * PRIME1), 23) * PRIME2 + PRIME3;
    }
    while (rest.hasRemaining()) {
      long octet = rest.get() & 0xFFL;
      hash = Long.rotateLeft(hash ^ (octet * PRIME5), 11) * PRIME1;
    }
    hash = (hash ^ (hash >>> 33)) * PRIME2;
    hash = (hash ^ (hash >>> 29)) * PRIME3;
    return hash ^ (hash >>> 32);
  }

  /** Takes whole stripes of 32 bytes through four lanes. */
  private static long stripes(ByteBuffer rest) {
    long lane1 = 0x60EA27EEADC0B5D6L; // the sum of the first two primes
    long lane2 = PRIME2;
    long lane3 = 0;
    long lane4 = -PRIME1;
    while (rest.remaining() >= 32) {
      lane1 = round(lane1, rest.getLong());
      lane2 = round(lane2, rest.getLong());
      lane3 = round(lane3, rest.getLong());
      lane4 = round(lane4, rest.getLong());
    }
    long hash =
        Long.rotateLeft(lane1, 1)
            + Long.rotateLeft(lane2, 7)
            + Long.rotateLeft(lane3, 12)
            + Long.rotateLeft(lane4, 18);
    hash = (hash ^ round(0, lane1)) * PRIME1 + PRIME4;
    hash = (hash ^ round(0, lane2)) * PRIME1 + PRIME4;
    hash = (hash ^ round(0, lane3)) * PRIME1 + PRIME4;
    return (hash ^ round(0, lane4)) * PRIME1 + PRIME4;
  }

  private static long round(long lane, long word) {
    return Long.rotateLeft(lane + word * PRIME2, 31) * PRIME1;
  }
}
