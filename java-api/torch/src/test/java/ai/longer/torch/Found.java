package ai.longer.torch;

import java.util.Map;
import java.util.Objects;

/** Values that a test takes for granted. */
final class Found {
  private Found() {}

  /** The value of a key; fails the test when there is none. */
  static <K, V> V in(Map<K, V> map, K key) {
    return Objects.requireNonNull(map.get(key), () -> "nothing for " + key);
  }
}
