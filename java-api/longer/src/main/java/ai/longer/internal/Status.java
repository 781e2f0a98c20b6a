package ai.longer.internal;

import ai.longer.CorruptDataException;
import ai.longer.DeviceException;
import ai.longer.LongerException;
import ai.longer.OutOfDeviceMemoryException;
import ai.longer.OverloadedException;
import ai.longer.internal.capi.LongerC;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CancellationException;

/** What status codes of the C ABI are in Java. */
final class Status {
  private Status() {}

  /**
   * The exception of a failed call, of the fields of its {@code longer_error}; {@code message} is
   * the native text, verbatim.
   */
  static RuntimeException toException(
      int code, boolean fatal, long bytesAsked, long bytesFree, String message) {
    return switch (code) {
      case LongerC.LONGER_INVALID_ARGUMENT -> new IllegalArgumentException(message);
      case LongerC.LONGER_INVALID_STATE -> new IllegalStateException(message);
      case LongerC.LONGER_OUT_OF_MEMORY ->
          new OutOfDeviceMemoryException(message, bytesAsked, bytesFree);
      case LongerC.LONGER_DEVICE_ERROR -> new DeviceException(message, fatal);
      case LongerC.LONGER_UNSUPPORTED -> new UnsupportedOperationException(message);
      case LongerC.LONGER_IO_ERROR -> new UncheckedIOException(message, new IOException(message));
      case LongerC.LONGER_CORRUPT_DATA -> new CorruptDataException(message);
      case LongerC.LONGER_OVERLOADED -> new OverloadedException(message);
      case LongerC.LONGER_CANCELLED -> new CancellationException(message);
      default -> new LongerException(message);
    };
  }
}
