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
    boolean cuda =
        switch (device.kind()) {
          case CPU, BEST -> false;
          case CUDA -> true;
        };
    ByteBuffer memory = Memory.allocate(BYTES);
    memory.putInt(0, cuda ? LongerC.LONGER_DEVICE_CUDA : LongerC.LONGER_DEVICE_CPU);
    memory.putInt(4, device.index());
    memory.putInt(8, device.threads());
    return new longer_device(new Pointer(memory));
  }
}
