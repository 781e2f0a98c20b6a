package ai.longer.internal;

import ai.longer.internal.capi.LongerC;
import ai.longer.internal.capi.longer_error;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;

/** A {@code longer_error} in memory of its own. Not thread-safe. */
final class NativeError {
  /** code, fatal, bytes_asked, bytes_free, message[1000]. */
  static final int BYTES = 1024;

  private static final int FATAL_OFFSET = 4;
  private static final int BYTES_ASKED_OFFSET = 8;
  private static final int BYTES_FREE_OFFSET = 16;
  private static final int MESSAGE_OFFSET = 24;

  private final ByteBuffer memory = Memory.allocate(BYTES);
  private final longer_error pointer = new longer_error(new Pointer(memory));

  longer_error pointer() {
    return pointer;
  }

  /** Throws what {@code status} stands for unless it is OK. */
  void check(int status) {
    if (status != LongerC.LONGER_OK) {
      throw exception();
    }
  }

  /** Returns the handle of a create call, or throws why there is none. */
  <T extends Pointer> T checkCreated(@Nullable T handle) {
    if (handle == null || handle.isNull()) {
      throw exception();
    }
    return handle;
  }

  /** The exception of the last call, which failed. */
  RuntimeException exception() {
    return Status.toException(
        memory.getInt(0),
        memory.getInt(FATAL_OFFSET) != 0,
        memory.getLong(BYTES_ASKED_OFFSET),
        memory.getLong(BYTES_FREE_OFFSET),
        message());
  }

  private String message() {
    byte[] bytes = new byte[BYTES - MESSAGE_OFFSET];
    memory.get(MESSAGE_OFFSET, bytes);
    int length = 0;
    while (length < bytes.length && bytes[length] != 0) {
      length++;
    }
    return new String(bytes, 0, length, StandardCharsets.UTF_8);
  }
}
