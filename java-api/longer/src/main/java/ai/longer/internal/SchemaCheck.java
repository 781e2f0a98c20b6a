package ai.longer.internal;

import ai.longer.Schema;

/** Checks that data was built for a model's schema. Safe for use by several threads. */
final class SchemaCheck {
  private final Schema expected;
  // The last equal one: data of one application share one schema object, so identity mostly
  // decides.
  private volatile Schema lastEqual;

  SchemaCheck(Schema expected) {
    this.expected = expected;
    this.lastEqual = expected;
  }

  @SuppressWarnings("ReferenceEquality") // Equality follows where identity does not decide.
  void check(Schema given) {
    if (given == lastEqual) {
      return;
    }
    if (!given.equals(expected)) {
      throw new IllegalArgumentException(
          "[request] was built for another schema than the model's; got %s, expected %s"
              .formatted(given, expected));
    }
    lastEqual = given;
  }
}
