package ai.longer;

import ai.longer.support.Samples;
import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * Any text is either rejected with a message or a configuration, schema included, that its own text
 * gives back.
 */
class LongerConfigFuzzTest {
  /** A configuration with features of every kind, cut into values and what is between. */
  private static final List<String> TOKENS =
      tokens("\"[^\"]*\"|-?[0-9.]+|true|false|[^\"0-9a-z-]+|.", Samples.KINDS_CONFIG.toJson());

  /** What stands in it and what else could. */
  private static final List<String> VALUES = values();

  private static List<String> tokens(String pattern, String text) {
    return Pattern.compile(pattern).matcher(text).results().map(MatchResult::group).toList();
  }

  private static List<String> values() {
    List<String> values = new ArrayList<>(TOKENS);
    values.addAll(tokens("\\S+", "-1 0 1 2 3 4 16 64 0.5 1e9 2147483648 9223372036854775807"));
    values.addAll(tokens("\\S+", "true false null [] {} \"\" \"one\" \"many\" \"numeric\""));
    for (Class<? extends Enum<?>> option :
        List.of(
            Anchor.class,
            GlobalVisibility.class,
            Head.class,
            PositionMode.class,
            QueryStrategy.class,
            TimeMode.class)) {
      for (Enum<?> value : option.getEnumConstants()) {
        values.add("\"" + value.name() + "\"");
      }
    }
    return values;
  }

  /** Text that starts as JSON is taken as it is; other text says what changes in a right one. */
  @FuzzTest(maxDuration = "60s")
  void parsesOrRejects(FuzzedDataProvider data) {
    String text = data.consumeRemainingAsString();
    check(text.startsWith("{") ? text : changed(text));
  }

  /** Two characters change a token: which one, and into what. */
  private static String changed(String changes) {
    List<String> tokens = new ArrayList<>(TOKENS);
    for (int i = 0; i + 1 < changes.length(); i += 2) {
      tokens.set(
          changes.charAt(i) % tokens.size(), VALUES.get(changes.charAt(i + 1) % VALUES.size()));
    }
    return String.join("", tokens);
  }

  private static void check(String text) {
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
