package ai.longer.torch;

import ai.longer.Anchor;
import ai.longer.LongerConfig;
import ai.longer.TimeMode;

/**
 * The events of one request that the model reads, and where each stands (LONGER §3.4, §3.2).
 *
 * @param firstEvent index of the first event kept, counted from the request's first event
 * @param numGroups S, merged tokens
 * @param groups group of each kept event, 0 = oldest
 * @param slots slot of each kept event inside its group
 * @param positions row of the position table of each kept event
 * @param buckets row of the time table of each kept event
 * @param userBucket row of the user global's time table
 */
record Window(
    int firstEvent,
    int numGroups,
    int[] groups,
    int[] slots,
    int[] positions,
    int[] buckets,
    int userBucket) {

  /** The window over request {@code request} of {@code batch}. */
  static Window of(LongerConfig config, RequestBatch batch, int request) {
    int begin = batch.eventOffsets()[request];
    int numEvents = batch.eventOffsets()[request + 1] - begin;
    int merge = config.mergeFactor();
    int kept;
    int numGroups;
    int[] places; // slot counted from the first slot of the first group
    int[] positions;
    if (config.anchor() == Anchor.OLDEST) {
      long firstOrdinal = batch.firstOrdinals()[request];
      long anchor = oldestAnchor(config, firstOrdinal + numEvents);
      kept = (int) Math.min(numEvents, Math.max(0, firstOrdinal + numEvents - anchor));
      places = new int[kept];
      positions = new int[kept];
      int firstPosition = (int) (firstOrdinal + numEvents - kept - anchor);
      int firstGroup = firstPosition / merge;
      for (int i = 0; i < kept; i++) {
        positions[i] = firstPosition + i;
        places[i] = positions[i] - firstGroup * merge;
      }
      numGroups = kept == 0 ? 0 : places[kept - 1] / merge + 1;
    } else {
      kept = Math.min(numEvents, config.maxHistory());
      places = new int[kept];
      positions = new int[kept];
      numGroups = (kept + merge - 1) / merge;
      for (int i = 0; i < kept; i++) {
        positions[i] = kept - 1 - i;
        places[i] = numGroups * merge - 1 - positions[i];
      }
    }
    int first = numEvents - kept;
    int[] groups = new int[kept];
    int[] slots = new int[kept];
    for (int i = 0; i < kept; i++) {
      groups[i] = places[i] / merge;
      slots[i] = places[i] % merge;
    }
    return new Window(
        first,
        numGroups,
        groups,
        slots,
        positions,
        buckets(config, batch, request, begin + first, kept),
        userBucket(config, batch, request));
  }

  int numEvents() {
    return groups.length;
  }

  private static long oldestAnchor(LongerConfig config, long numEventsEver) {
    if (numEventsEver <= config.maxHistory()) {
      return 0;
    }
    int merge = config.mergeFactor();
    long block = merge * Math.max(1, (long) Math.floor(config.maxHistory() / (8.0 * merge) + 0.5));
    long surplus = numEventsEver - config.maxHistory();
    return (surplus + block - 1) / block * block;
  }

  private static int[] buckets(
      LongerConfig config, RequestBatch batch, int request, int begin, int numEvents) {
    int[] buckets = new int[numEvents];
    for (int i = 0; i < numEvents; i++) {
      long time = batch.eventTimes()[begin + i];
      buckets[i] =
          switch (config.time()) {
            case REQUEST_RELATIVE -> bucket(config, batch.referenceTimes()[request] - time);
            case EVENT_RELATIVE ->
                i == 0
                    ? config.timeBuckets()
                    : bucket(config, time - batch.eventTimes()[begin + i - 1]);
            case NONE -> config.timeBuckets();
          };
    }
    return buckets;
  }

  private static int userBucket(LongerConfig config, RequestBatch batch, int request) {
    int begin = batch.eventOffsets()[request];
    int end = batch.eventOffsets()[request + 1];
    if (begin == end || config.time() == TimeMode.NONE) {
      return config.timeBuckets();
    }
    return bucket(config, batch.referenceTimes()[request] - batch.eventTimes()[end - 1]);
  }

  /** ⌊log₂(1 + seconds)⌋, the last bucket open-ended. */
  private static int bucket(LongerConfig config, long seconds) {
    return Math.min(63 - Long.numberOfLeadingZeros(1 + seconds), config.timeBuckets() - 1);
  }
}
