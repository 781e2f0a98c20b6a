package ai.longer.internal;

import ai.longer.internal.capi.LongerC;
import java.nio.charset.StandardCharsets;

/** Validation of {@code config.json} by the native core. */
public final class NativeConfig {
  private NativeConfig() {}

  /**
   * Returns the normalised text.
   *
   * @throws IllegalArgumentException if the text is not valid; the message names the JSON pointer
   * @throws UnsupportedOperationException for values that this version does not implement
   */
  public static String normalize(String json) {
    NativeLibrary.load();
    long bytes = json.getBytes(StandardCharsets.UTF_8).length;
    return NativeText.read(
        (text, needed, error) ->
            LongerC.longer_config_normalize(json, bytes, text, text.length, needed, error));
  }
}
