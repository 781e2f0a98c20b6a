package ai.longer.internal;

import static org.assertj.core.api.Assertions.assertThat;

import ai.longer.CorruptDataException;
import ai.longer.DeviceException;
import ai.longer.LongerException;
import ai.longer.OutOfDeviceMemoryException;
import ai.longer.OverloadedException;
import ai.longer.internal.capi.LongerC;
import java.io.UncheckedIOException;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class StatusTest {
  static Stream<Arguments> codes() {
    return Stream.of(
        Arguments.of(LongerC.LONGER_INVALID_ARGUMENT, IllegalArgumentException.class),
        Arguments.of(LongerC.LONGER_INVALID_STATE, IllegalStateException.class),
        Arguments.of(LongerC.LONGER_OUT_OF_MEMORY, OutOfDeviceMemoryException.class),
        Arguments.of(LongerC.LONGER_DEVICE_ERROR, DeviceException.class),
        Arguments.of(LongerC.LONGER_UNSUPPORTED, UnsupportedOperationException.class),
        Arguments.of(LongerC.LONGER_IO_ERROR, UncheckedIOException.class),
        Arguments.of(LongerC.LONGER_CORRUPT_DATA, CorruptDataException.class),
        Arguments.of(LongerC.LONGER_OVERLOADED, OverloadedException.class),
        Arguments.of(LongerC.LONGER_CANCELLED, CancellationException.class),
        Arguments.of(LongerC.LONGER_INTERNAL, LongerException.class),
        Arguments.of(12345, LongerException.class));
  }

  @ParameterizedTest
  @MethodSource("codes")
  void everyCodeHasItsExceptionWithTheTextVerbatim(int code, Class<?> type) {
    RuntimeException exception = Status.toException(code, false, -1, -1, "[x] größer – 次");
    assertThat(exception).isExactlyInstanceOf(type).hasMessage("[x] größer – 次");
  }

  @Test
  void fatalDeviceErrorsSaySo() {
    for (boolean fatal : new boolean[] {true, false}) {
      assertThat(Status.toException(LongerC.LONGER_DEVICE_ERROR, fatal, -1, -1, "lost"))
          .isInstanceOfSatisfying(
              DeviceException.class, e -> assertThat(e.isFatal()).isEqualTo(fatal));
    }
  }

  @Test
  void memoryErrorsSayWhatWasAskedAndFreeWhereThatIsKnown() {
    assertThat(Status.toException(LongerC.LONGER_OUT_OF_MEMORY, false, 4096, 17, "full"))
        .isInstanceOfSatisfying(
            OutOfDeviceMemoryException.class,
            e -> {
              assertThat(e.bytesAsked()).hasValue(4096);
              assertThat(e.bytesFree()).hasValue(17);
              assertThat(e.isFatal()).isFalse();
            });
    assertThat(Status.toException(LongerC.LONGER_OUT_OF_MEMORY, false, 0, -1, "full"))
        .isInstanceOfSatisfying(
            OutOfDeviceMemoryException.class,
            e -> {
              assertThat(e.bytesAsked()).hasValue(0);
              assertThat(e.bytesFree()).isEmpty();
            });
  }
}
