package ai.longer.training;

import ai.longer.data.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Reorders requests with bounded memory: each arrival trades places with a random one of those
 * held. Deterministic for a seed. Not thread-safe.
 */
final class ShuffleBuffer {
  private final int capacity;
  private final SplittableRandom random;
  private final List<Request> held = new ArrayList<>();

  ShuffleBuffer(int capacity, long seed, int run, int epoch) {
    this.capacity = capacity;
    // Odd multipliers keep runs and epochs of one seed apart.
    this.random =
        new SplittableRandom(seed ^ (run * 0x9E3779B97F4A7C15L + epoch * 0xC2B2AE3D27D4EB4FL));
  }

  /** Keeps the order. */
  static ShuffleBuffer none() {
    return new ShuffleBuffer(1, 0, 0, 0);
  }

  /** Takes a request and returns another one, or null while filling up. */
  @Nullable Request exchange(Request request) {
    if (capacity == 1) {
      return request;
    }
    if (held.size() < capacity) {
      held.add(request);
      return null;
    }
    return held.set(random.nextInt(held.size()), request);
  }

  /** Returns one of those held when no more arrive, or null if there are none. */
  @Nullable Request remove() {
    if (held.isEmpty()) {
      return null;
    }
    Request last = held.remove(held.size() - 1);
    return held.isEmpty() ? last : swapIn(last);
  }

  private Request swapIn(Request last) {
    int chosen = random.nextInt(held.size() + 1);
    return chosen == held.size() ? last : held.set(chosen, last);
  }
}
