package ai.longer;

import java.util.List;
import java.util.Objects;

/**
 * A token of the model's width, made of features by one linear map (LONGER §3.3).
 *
 * <p>Immutable; safe for use by several threads.
 *
 * @param name names its parameters, {@code global.<name>.weight} and {@code global.<name>.bias}
 * @param features names of the features it reads, in concatenation order
 */
public record TokenSpec(String name, List<String> features) {
  /** Copies the list. */
  public TokenSpec {
    Objects.requireNonNull(name, "name");
    features = List.copyOf(features);
  }
}
