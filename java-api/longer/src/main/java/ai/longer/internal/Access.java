package ai.longer.internal;

import ai.longer.data.Shards;
import ai.longer.serving.Ranker;
import ai.longer.training.Trainer;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Lets this SDK's packages reach what is behind a public object without a public method for it.
 * Safe for use by several threads.
 *
 * @param <T> the public class, which calls {@link #set} when it is initialised
 * @param <A> what is behind it
 */
public final class Access<T, A> {
  /** The shards of {@link Shards}. */
  public static final Access<Shards, ShardsHandle> SHARDS = new Access<>();

  /** Scores with a trainer's present weights. */
  public static final Access<Trainer, BatchScorer> TRAINER = new Access<>();

  /** Scores with a ranker, batches of one request. */
  public static final Access<Ranker, BatchScorer> RANKER = new Access<>();

  private volatile @Nullable Function<T, A> behind;

  private Access() {}

  /** Called once by the public class. */
  public void set(Function<T, A> function) {
    behind = function;
  }

  /** Returns what is behind an object. */
  public A of(T object) {
    return Objects.requireNonNull(behind).apply(object);
  }
}
