package ai.longer.data;

import ai.longer.Schema.Kind;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The value of one feature in one row. Immutable; safe for use by several threads. */
public final class Value {
  private static final Value MISSING = new Value(null, null, 0);

  private final @Nullable Kind kind; // null = missing, whatever the kind
  private final long @Nullable [] ids;
  private final float number;

  private Value(@Nullable Kind kind, long @Nullable [] ids, float number) {
    this.kind = kind;
    this.ids = ids;
    this.number = number;
  }

  /** Returns no value, for a feature of any kind. */
  public static Value missing() {
    return MISSING;
  }

  /** Returns the id of a categorical feature. */
  public static Value id(long id) {
    return new Value(Kind.CATEGORICAL, new long[] {id}, 0);
  }

  /** Returns the id of a text ({@link StringIds}) of a categorical feature. */
  public static Value textId(String text) {
    return id(StringIds.hash(text));
  }

  /** Returns the ids of a many-valued feature; copied, none is the same as missing. */
  public static Value ids(long... ids) {
    return new Value(Kind.MANY_VALUED, ids.clone(), 0);
  }

  /** Returns the ids of texts ({@link StringIds}) of a many-valued feature. */
  public static Value textIds(String... texts) {
    return new Value(Kind.MANY_VALUED, StringIds.hashAll(texts), 0);
  }

  /**
   * Returns the number of a numeric feature; NaN is the same as missing.
   *
   * @throws IllegalArgumentException if it is infinite as a {@code float}
   */
  public static Value number(double number) {
    float value = (float) number;
    if (Float.isInfinite(value)) {
      throw new IllegalArgumentException("[value] a number must be finite or NaN; got " + number);
    }
    return Float.isNaN(value) ? MISSING : new Value(Kind.NUMERIC, null, value);
  }

  /** Returns whether a feature of that kind may have this value. */
  boolean fits(Kind wanted) {
    return kind == null || kind == wanted;
  }

  boolean isMissing() {
    return kind == null;
  }

  /** The ids, none when missing. */
  long[] ids() {
    return ids == null ? NO_IDS : ids;
  }

  /** The number, NaN when missing. */
  float number() {
    return kind == null ? Float.NaN : number;
  }

  private static final long[] NO_IDS = {};

  @Override
  public boolean equals(Object other) {
    return other instanceof Value that
        && kind == that.kind
        && number == that.number
        && Arrays.equals(ids, that.ids);
  }

  @Override
  public int hashCode() {
    return Objects.hash(kind, Arrays.hashCode(ids), number);
  }

  @Override
  public String toString() {
    if (kind == null) {
      return "missing";
    }
    return switch (kind) {
      case CATEGORICAL -> Long.toString(ids()[0]);
      case MANY_VALUED -> Arrays.toString(ids);
      case NUMERIC -> Float.toString(number);
    };
  }
}
