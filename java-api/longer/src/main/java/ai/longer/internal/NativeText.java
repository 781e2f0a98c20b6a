package ai.longer.internal;

import ai.longer.internal.capi.longer_error;
import java.nio.charset.StandardCharsets;

/** Text that the C ABI writes into the caller's memory. */
final class NativeText {
  private static final int FIRST_CAPACITY = 4096;

  private NativeText() {}

  /** A call that writes NUL-terminated text when it fits; {@code needed[0]} = its bytes. */
  @FunctionalInterface
  interface Call {
    int write(byte[] text, long[] needed, longer_error error);
  }

  /** Makes the call, again with more room if it asks for it. */
  static String read(Call call) {
    NativeError error = new NativeError();
    byte[] text = new byte[FIRST_CAPACITY];
    long[] needed = new long[1];
    error.check(call.write(text, needed, error.pointer()));
    while (needed[0] > text.length) {
      text = new byte[Math.toIntExact(needed[0])];
      error.check(call.write(text, needed, error.pointer()));
    }
    return new String(text, 0, (int) needed[0] - 1, StandardCharsets.UTF_8);
  }
}
