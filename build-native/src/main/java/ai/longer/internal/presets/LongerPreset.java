package ai.longer.internal.presets;

import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * Tells JavaCPP how to read {@code longer/c/longer.h}: one class {@code LongerC} with every
 * function and constant, one class per struct, opaque classes for the handles. The native core is
 * linked statically into the one JNI library of each classifier.
 */
@Properties(
    inherit = org.bytedeco.javacpp.presets.javacpp.class,
    target = "ai.longer.internal.capi",
    global = "ai.longer.internal.capi.LongerC",
    value = {
      @Platform(
          value = "linux-x86_64",
          compiler = "cpp17",
          // Java strings cross as UTF-8 whatever the JVM's default charset is.
          define = "STRING_BYTES_CHARSET \"UTF-8\"",
          include = "longer/c/longer.h",
          // "#": linked in, not looked for when the library is loaded.
          link = "longer_core#",
          library = "jnilonger"),
      // Searched before the plain folder, so a CUDA jar on the class path wins. Linked from last to
      // first.
      @Platform(
          value = "linux-x86_64",
          extension = "-cuda13",
          link = {"dl#", "rt#", "cudart_static#", "longer_core_cuda#"})
    })
public class LongerPreset implements InfoMapper {
  @Override
  public void map(InfoMap infoMap) {
    // C cannot throw: no try/catch at the border.
    infoMap.put(new Info("LONGER_API").cppTypes().annotations("@NoException"));
    infoMap.put(
        new Info("longer_status")
            .valueTypes("int")
            .pointerTypes("IntPointer", "IntBuffer", "int[]"));
  }
}
