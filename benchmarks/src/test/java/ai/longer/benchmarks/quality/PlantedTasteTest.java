package ai.longer.benchmarks.quality;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.longer.data.Request;
import ai.longer.evaluation.Metrics;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.ToDoubleBiFunction;
import org.junit.jupiter.api.Test;

/** What the planted data let a model know, and from where. */
class PlantedTasteTest {
  private static final PlantedTaste.Options OPTIONS =
      new PlantedTaste.Options(40, 10, 60, 4, 700, 1200, 0.5, 7);

  private final List<Request> test = new PlantedTaste(OPTIONS).split().test();

  @Test
  void oldEventsTellTheTaste() {
    double auc = auc((request, c) -> count(request, c, 0, request.history().size() - 500));
    assertTrue(auc > 0.85, "AUC by old events: " + auc);
  }

  @Test
  void theNewest500EventsTellNothing() {
    double auc =
        auc(
            (request, c) ->
                count(request, c, request.history().size() - 500, request.history().size()));
    assertEquals(0.5, auc, 0.04);
  }

  @Test
  void usersOfThePartsAreDifferent() {
    Split split = new PlantedTaste(OPTIONS).split();
    Set<Long> users = new HashSet<>();
    for (List<Request> part : List.of(split.training(), split.validation(), split.test())) {
      Set<Long> ofPart = new HashSet<>();
      part.forEach(r -> ofPart.add(r.groupKey()));
      ofPart.forEach(user -> assertTrue(users.add(user), "user " + user + " is in two parts"));
    }
    assertEquals(40 + 10 + 60, users.size());
  }

  @Test
  void oneSeedMakesTheSameUsers() {
    List<Request> again = new PlantedTaste(OPTIONS).split().test();
    assertEquals(test.get(3).history(), again.get(3).history());
    assertEquals(test.get(3).candidates(), again.get(3).candidates());
  }

  @Test
  void tasteOfFindsWhatWasPlanted() {
    Request request = test.get(0);
    long[] categories = PlantedTaste.categories(request.history());
    Set<Long> taste = PlantedTaste.tasteOf(categories);
    long onTaste = 0;
    int old = categories.length - PlantedTaste.RECENT;
    for (int i = 0; i < old; i++) {
      onTaste += taste.contains(categories[i]) ? 1 : 0;
    }
    // Half by design, 3 of 20 of the rest by chance.
    assertEquals(0.575, (double) onTaste / old, 0.12);
  }

  @Test
  void usersNeedOldEvents() {
    PlantedTaste.Options short1 = new PlantedTaste.Options(1, 1, 1, 1, 500, 600, 0.5, 7);
    assertThrows(IllegalArgumentException.class, () -> new PlantedTaste(short1));
  }

  private double auc(ToDoubleBiFunction<Request, Integer> score) {
    int rows = test.stream().mapToInt(r -> r.candidates().size()).sum();
    float[] scores = new float[rows];
    float[] labels = new float[rows];
    int row = 0;
    for (Request request : test) {
      float[] clicks = request.labels(0);
      for (int c = 0; c < clicks.length; c++, row++) {
        scores[row] = (float) score.applyAsDouble(request, c);
        labels[row] = clicks[c];
      }
    }
    return Metrics.auc(scores, labels);
  }

  /** Share of events from … to − 1 in the candidate's category. */
  private static double count(Request request, int candidate, int from, int to) {
    long wanted = request.candidates().id(PlantedTaste.CATEGORY, candidate);
    long[] categories = PlantedTaste.categories(request.history());
    double count = 0;
    for (int i = from; i < to; i++) {
      count += categories[i] == wanted ? 1 : 0;
    }
    return count / (to - from);
  }
}
