package ai.longer.benchmarks.quality;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What is compared, on which data and with which budget; one file of {@code experiments/}. Each
 * contender is tuned over the same grid on the validation requests alone; the best point is then
 * trained on everything before the test, once for each seed, and scores the test once.
 *
 * @param name that of the file
 * @param title heading of its results
 * @param about what is predicted from what, and what was cut to fit the machine
 * @param data {@code kind} of a {@link DataSet} and its settings
 * @param model keys of {@code config.json} that all contenders share
 * @param schedule of the optimizer
 * @param grid points of the search
 * @param seeds trainings of each contender with its best point
 * @param contenders the first is compared with every other
 * @param plotted contenders in the chart by history length
 */
record Experiment(
    String name,
    String title,
    String about,
    ObjectNode data,
    ObjectNode model,
    Setting.Schedule schedule,
    List<Setting> grid,
    int seeds,
    List<Contender> contenders,
    List<String> plotted) {
  /** Longer names are cut where an axis shows them, and what is left of them is often the same. */
  private static final int LONGEST_ON_AXIS = 20;

  /** Checks what would show only hours later. */
  Experiment {
    grid = List.copyOf(grid);
    contenders = List.copyOf(contenders);
    plotted = List.copyOf(plotted);
    require(!grid.isEmpty() && !contenders.isEmpty() && seeds > 0, name, "grid, contenders, seeds");
    Set<String> names = new HashSet<>();
    for (Contender contender : contenders) {
      require(names.add(contender.name()), name, "contender " + contender.name());
    }
    require(names.containsAll(plotted), name, "plotted");
  }

  private static void require(boolean holds, String name, String what) {
    if (!holds) {
      throw new IllegalArgumentException(
          "[experiment] %s: %s must be there and be unique".formatted(name, what));
    }
  }

  /** How a contender is shown. */
  String titleOf(String contender) {
    return contenders.stream()
        .filter(c -> c.name().equals(contender))
        .map(Contender::title)
        .findAny()
        .orElse(contender);
  }

  /** How a contender is shown on an axis: by its title if those of all fit, else by its name. */
  String labelOf(String contender) {
    boolean titlesFit = contenders.stream().allMatch(c -> c.title().length() <= LONGEST_ON_AXIS);
    return titlesFit ? titleOf(contender) : contender;
  }

  /** Reads {@code folder/name.json}. */
  static Experiment read(Path folder, String name) {
    Experiment read = Json.read(folder.resolve(name + ".json"), Experiment.class);
    require(read.name.equals(name), name, "its own name");
    return read;
  }
}
