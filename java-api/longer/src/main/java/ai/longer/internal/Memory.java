package ai.longer.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Memory that native calls read and write: direct buffers, never JavaCPP's allocator. */
final class Memory {
  private Memory() {}

  /** Zeroed memory in native byte order, aligned to 8 bytes. */
  static ByteBuffer allocate(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }
}
