package ai.longer;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;

/**
 * Any text is either rejected with a message or a configuration, schema included, that its own text
 * gives back.
 */
class LongerConfigFuzzTest {
  @FuzzTest(maxDuration = "60s")
  void parsesOrRejects(FuzzedDataProvider data) {
    String text = data.consumeRemainingAsString();
    LongerConfig config;
    try {
      config = LongerConfig.parse(text);
    } catch (IllegalArgumentException | UnsupportedOperationException e) {
      if (!String.valueOf(e.getMessage()).startsWith("[config]")) {
        throw new AssertionError(e);
      }
      return;
    }
    if (!LongerConfig.parse(config.toJson()).equals(config)) {
      throw new AssertionError(config.toJson());
    }
  }
}
