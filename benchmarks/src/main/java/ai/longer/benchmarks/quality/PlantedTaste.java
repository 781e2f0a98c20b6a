package ai.longer.benchmarks.quality;

import ai.longer.LongerModel;
import ai.longer.Schema;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankingRequest;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Made-up users whose taste only old events reveal. A taste is 3 of 20 categories. The newest 500
 * events of a user fall on all categories alike; of the older ones a part falls on the taste. A
 * candidate of the taste is clicked with probability .9, any other with .1. Users of training,
 * validation and test are different, and nothing but the events tells them apart.
 */
final class PlantedTaste implements DataSet {
  static final int CATEGORIES = 20;
  static final int TASTE = 3;
  static final int RECENT = 500;

  /** Column of events and of candidates. */
  static final int CATEGORY = 1;

  private static final int ITEMS_PER_CATEGORY = 100;
  private static final int ACTIONS = 3;
  private static final int CANDIDATES = 8;
  private static final double CLICK = 0.9;
  private static final long START = 1_600_000_000;
  private static final long SECONDS_BETWEEN_EVENTS = 3600;
  private static final int EXPLAINED_REQUESTS = 100;

  /**
   * How much is made.
   *
   * @param users for training
   * @param validationUsers for validation
   * @param testUsers for the test
   * @param requests of each user
   * @param minEvents of a user, more than 500
   * @param maxEvents of a user
   * @param plantedShare of the events older than the newest 500 that fall on the taste by design
   * @param seed decides everything
   */
  record Options(
      int users,
      int validationUsers,
      int testUsers,
      int requests,
      int minEvents,
      int maxEvents,
      double plantedShare,
      long seed) {}

  private final Options options;

  PlantedTaste(Options options) {
    if (options.minEvents() <= RECENT || options.maxEvents() < options.minEvents()) {
      throw new IllegalArgumentException(
          "[planted] users need more than %d events; got %d … %d"
              .formatted(RECENT, options.minEvents(), options.maxEvents()));
    }
    this.options = options;
  }

  @Override
  public Schema schema() {
    return Schema.builder()
        .table("item", 16)
        .denseTable("category", 8, CATEGORIES)
        .denseTable("action", 4, ACTIONS)
        .event("item", "item")
        .event("category", "category")
        .event("action", "action")
        .candidate("item", "item")
        .candidate("category", "category")
        .task("click")
        .build();
  }

  @Override
  public Split split() {
    int validation = options.users();
    int test = validation + options.validationUsers();
    return new Split(
        requests(0, validation),
        requests(validation, test),
        requests(test, test + options.testUsers()));
  }

  private List<Request> requests(int firstUser, int endUser) {
    Schema schema = schema();
    List<Request> requests = new ArrayList<>();
    for (int user = firstUser; user < endUser; user++) {
      // The golden-ratio step keeps the streams of neighbouring users apart.
      SplittableRandom random =
          new SplittableRandom(options.seed() + user * 0x9E3779B97F4A7C15L).split();
      int[] taste = random.ints(0, CATEGORIES).distinct().limit(TASTE).toArray();
      History history = history(schema, taste, random);
      for (int i = 0; i < options.requests(); i++) {
        requests.add(request(history, taste, user, random));
      }
    }
    return requests;
  }

  private History history(Schema schema, int[] taste, SplittableRandom random) {
    int numEvents = random.nextInt(options.minEvents(), options.maxEvents() + 1);
    long[] items = new long[numEvents];
    long[] categories = new long[numEvents];
    long[] actions = new long[numEvents];
    long[] times = new long[numEvents];
    for (int i = 0; i < numEvents; i++) {
      boolean isPlanted = i < numEvents - RECENT && random.nextDouble() < options.plantedShare();
      categories[i] = isPlanted ? taste[random.nextInt(TASTE)] : random.nextInt(CATEGORIES);
      items[i] = item(categories[i], random);
      actions[i] = random.nextInt(ACTIONS);
      times[i] = START + i * SECONDS_BETWEEN_EVENTS;
    }
    return History.builder(schema)
        .longs("item", items)
        .longs("category", categories)
        .longs("action", actions)
        .times(times)
        .build();
  }

  /** Half of the candidates fall on the taste by design. */
  private static Request request(History history, int[] taste, long user, SplittableRandom random) {
    long[] items = new long[CANDIDATES];
    long[] categories = new long[CANDIDATES];
    float[] clicks = new float[CANDIDATES];
    for (int c = 0; c < CANDIDATES; c++) {
      categories[c] =
          random.nextBoolean() ? taste[random.nextInt(TASTE)] : random.nextInt(CATEGORIES);
      items[c] = item(categories[c], random);
      boolean isLiked = contains(taste, categories[c]);
      clicks[c] = random.nextDouble() < (isLiked ? CLICK : 1 - CLICK) ? 1 : 0;
    }
    Candidates candidates =
        Candidates.builder(history.schema())
            .longs("item", items)
            .longs("category", categories)
            .build();
    return Request.builder(history, candidates)
        .referenceTime(history.time(history.size() - 1) + SECONDS_BETWEEN_EVENTS)
        .labels("click", clicks)
        .groupKey(user)
        .build();
  }

  private static long item(long category, SplittableRandom random) {
    return category + (long) CATEGORIES * random.nextInt(ITEMS_PER_CATEGORY);
  }

  private static boolean contains(int[] taste, long category) {
    for (int one : taste) {
      if (one == category) {
        return true;
      }
    }
    return false;
  }

  /**
   * Where the attention of clicked candidates goes. Events older than the newest 500 that fall on
   * the taste are what there is to find: a model that looks anywhere would give them just their
   * share among all events.
   */
  @Override
  public Map<String, Double> inspect(LongerModel model, List<Request> test) {
    Attention sum = new Attention();
    try (Ranker ranker = model.ranker()) {
      for (Request request : test.subList(0, Math.min(test.size(), EXPLAINED_REQUESTS))) {
        float[] clicks = request.labels(0);
        for (int c = 0; c < clicks.length && request.history().size() > RECENT; c++) {
          if (clicks[c] == 1) {
            sum.add(request, c, ranker.explain(RankingRequest.of(request), c).attribution());
          }
        }
      }
    }
    return sum.figures();
  }

  /** Sums over explained candidates. */
  private static final class Attention {
    private double onOld;
    private double old;
    private double onTaste;
    private double taste;
    private double onCategory;
    private double category;
    private int explained;

    void add(Request request, int candidate, float[] attribution) {
      long[] categories = categories(request.history());
      long wanted = request.candidates().id(CATEGORY, candidate);
      Set<Long> likes = tasteOf(categories);
      double share = 1.0 / categories.length;
      for (int i = 0; i < categories.length - RECENT; i++) {
        onOld += attribution[i];
        old += share;
        if (likes.contains(categories[i])) {
          onTaste += attribution[i];
          taste += share;
        }
        if (categories[i] == wanted) {
          onCategory += attribution[i];
          category += share;
        }
      }
      explained++;
    }

    Map<String, Double> figures() {
      Map<String, Double> figures = new LinkedHashMap<>();
      if (explained > 0) {
        figures.put("attribution on events older than 500", onOld / explained);
        figures.put("share of events older than 500", old / explained);
        figures.put("attribution on old events of the taste", onTaste / explained);
        figures.put("share of old events of the taste", taste / explained);
        figures.put(
            "attribution on old events of the candidate's category", onCategory / explained);
        figures.put("share of old events of the candidate's category", category / explained);
      }
      return figures;
    }
  }

  static long[] categories(History history) {
    return IntStream.range(0, history.size()).mapToLong(i -> history.id(CATEGORY, i)).toArray();
  }

  /** The categories that stand out among the old events, which is what a model can know. */
  static Set<Long> tasteOf(long[] categories) {
    Map<Long, Long> counts = new TreeMap<>();
    for (int i = 0; i < categories.length - RECENT; i++) {
      counts.merge(categories[i], 1L, Long::sum);
    }
    Set<Long> taste = new HashSet<>();
    counts.entrySet().stream()
        .sorted(Map.Entry.<Long, Long>comparingByValue().reversed())
        .limit(TASTE)
        .forEach(entry -> taste.add(entry.getKey()));
    return taste;
  }
}
