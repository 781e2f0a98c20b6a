package ai.longer.internal;

import ai.longer.Device;
import ai.longer.internal.capi.LongerC;
import ai.longer.internal.capi.longer_device;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.Pointer;

/** A {@code longer_device}: kind, index, num_threads, reserved, each 32 bits. */
final class NativeDevice {
  private static final int BYTES = 16;

  private NativeDevice() {}

  static longer_device of(Device device) {
    int kind =
        switch (device.kind()) {
          case CPU -> LongerC.LONGER_DEVICE_CPU;
          case CUDA -> LongerC.LONGER_DEVICE_CUDA;
          case BEST -> LongerC.LONGER_DEVICE_BEST;
        };
    ByteBuffer memory = Memory.allocate(BYTES);
    memory.putInt(0, kind);
    memory.putInt(4, device.index());
    memory.putInt(8, device.threads());
    return new longer_device(new Pointer(memory));
  }
}
