/** Generated bindings of the C ABI of LONGER. Internal to {@code ai.longer}: no API for applications. */
open module ai.longer.natives {
  requires transitive org.bytedeco.javacpp;

  exports ai.longer.internal.capi;
  exports ai.longer.internal.natives;
  exports ai.longer.internal.presets;

  uses ai.longer.internal.natives.NativeJar;
}
