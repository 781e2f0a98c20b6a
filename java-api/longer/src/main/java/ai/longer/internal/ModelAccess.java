package ai.longer.internal;

import ai.longer.LongerModel;
import java.lang.invoke.MethodHandles;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Lets this SDK's packages reach a model's handle without a public method for it. */
public abstract class ModelAccess {
  private static volatile @Nullable ModelAccess instance;

  /** Called once by {@link LongerModel}. */
  public static void set(ModelAccess access) {
    instance = access;
  }

  /** Returns the access that {@link LongerModel} gave. */
  public static ModelAccess get() {
    if (instance == null) {
      try {
        MethodHandles.lookup().ensureInitialized(LongerModel.class);
      } catch (IllegalAccessException e) {
        throw new AssertionError(e);
      }
    }
    return Objects.requireNonNull(instance);
  }

  /** Returns a model that owns the handle. */
  public abstract LongerModel wrap(ModelHandle handle);

  /** Returns the handle of a model. */
  public abstract ModelHandle unwrap(LongerModel model);
}
