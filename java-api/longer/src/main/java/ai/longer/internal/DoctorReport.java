package ai.longer.internal;

import ai.longer.LongerException;
import ai.longer.internal.capi.LongerC;
import java.nio.charset.StandardCharsets;

/** The whole report: what Java can tell, then what the native library can tell. */
public final class DoctorReport {
  private DoctorReport() {}

  /** Returns whether the native library loads. */
  public static boolean isHealthy() {
    try {
      NativeLibrary.load();
      return true;
    } catch (LongerException e) {
      return false;
    }
  }

  /** Returns the report; why the library does not load is part of it. */
  public static String text() {
    try {
      NativeLibrary.load();
    } catch (LongerException e) {
      return String.valueOf(e.getMessage());
    }
    return HostReport.javaText()
        + "native library: "
        + NativeLibrary.loadedFrom()
        + "\n"
        + nativeText();
  }

  /** Returns bytes that native models, trainers and caches hold. */
  public static long nativeBytes() {
    NativeLibrary.load();
    return LongerC.longer_native_bytes();
  }

  /** Returns native handles that are not destroyed. */
  public static long nativeLiveHandles() {
    NativeLibrary.load();
    return LongerC.longer_live_handles();
  }

  private static String nativeText() {
    byte[] text = new byte[4096];
    long needed = LongerC.longer_doctor(text, text.length);
    if (needed > text.length) {
      text = new byte[Math.toIntExact(needed)];
      LongerC.longer_doctor(text, text.length);
    }
    int length = 0;
    while (length < text.length && text[length] != 0) {
      length++;
    }
    return new String(text, 0, length, StandardCharsets.UTF_8);
  }
}
