package ai.longer.samples.cli;

import ai.longer.Device;
import ai.longer.Flops;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.Schema;
import ai.longer.report.Numbers;
import ai.longer.report.TextTable;
import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What a model is made of and what it costs. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Shows configuration, parameters, tables and floating-point operations.")
final class InspectCommand implements Callable<Integer> {
  private final Console console;

  @Parameters(paramLabel = "MODEL", description = "A model folder or a config.json.")
  private Path model = Path.of(".");

  @Option(
      names = "--events",
      paramLabel = "N",
      description = "Events of the costed request (default: all kept).")
  private int events;

  @Option(
      names = "--candidates",
      paramLabel = "N",
      description = "Candidates of the costed request (default: ${DEFAULT-VALUE}).")
  private int candidates = 100;

  @Mixin private OutputOptions output = new OutputOptions();

  InspectCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    try (LongerModel loaded = open()) {
      LongerConfig config = loaded.config();
      int counted = events > 0 ? events : config.maxHistory();
      Map<String, Long> parameters = parametersByPart(loaded);
      Map<String, Long> rows = tableRows(loaded);
      Flops flops = Flops.forward(config, counted, candidates);
      if (output.json) {
        json(config, parameters, rows, flops, counted);
      } else {
        print(loaded, parameters, rows, flops, counted);
      }
    }
    return 0;
  }

  private LongerModel open() throws IOException {
    if (Files.isDirectory(model)) {
      return LongerModel.load(model, Device.cpu(1));
    }
    return LongerModel.create(LongerConfig.parse(Files.readString(model)), 0, Device.cpu(1));
  }

  /** Number of dense parameters by the first parts of their names: a layer each, the rest whole. */
  static Map<String, Long> parametersByPart(LongerModel model) {
    Map<String, Long> sums = new LinkedHashMap<>();
    for (String name : model.parameterNames()) {
      int dot = name.indexOf('.');
      boolean isNumbered = name.startsWith("layers.") || name.startsWith("table.");
      String part = name.substring(0, isNumbered ? name.indexOf('.', dot + 1) : dot);
      long size =
          model.parameterShape(name).stream()
              .mapToLong(Integer::longValue)
              .reduce(1, Math::multiplyExact);
      sums.merge(part, size, Math::addExact);
    }
    return sums;
  }

  private static Map<String, Long> tableRows(LongerModel model) {
    Map<String, Long> rows = new LinkedHashMap<>();
    for (Schema.Table table : model.config().schema().tables()) {
      rows.put(
          table.name(),
          table.rows() > 0 ? table.rows() + 1L : model.table(table.name()).ids().length + 1L);
    }
    return rows;
  }

  private void json(
      LongerConfig config,
      Map<String, Long> parameters,
      Map<String, Long> rows,
      Flops flops,
      int counted)
      throws JsonProcessingException {
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("config", Console.JSON.readTree(config.toJson()));
    document.put("parameters", parameters);
    document.put("table_rows", rows);
    Map<String, Object> cost = new LinkedHashMap<>();
    cost.put("events", counted);
    cost.put("candidates", candidates);
    cost.put("user", flops.user());
    cost.put("candidate_rows", flops.candidates());
    cost.put("training_step", flops.trainingStep());
    document.put("flops", cost);
    console.json(document);
  }

  private void print(
      LongerModel loaded,
      Map<String, Long> parameters,
      Map<String, Long> rows,
      Flops flops,
      int counted) {
    LongerConfig config = loaded.config();
    console.print(config.toJson());
    console.print("");
    TextTable parts = new TextTable("<parameters", "number");
    parameters.forEach((part, size) -> parts.row(part, Numbers.count(size)));
    parts.row("all", Numbers.count(loaded.numParameters()));
    console.print(parts);
    TextTable tables = new TextTable("<table", "width", "rows", "kind");
    for (Schema.Table table : config.schema().tables()) {
      tables.row(
          table.name(),
          Integer.toString(table.width()),
          Numbers.count(rows.getOrDefault(table.name(), 0L)),
          table.rows() > 0 ? "dense" : "growing");
    }
    console.print(tables);
    console.print(
        new TextTable(
                "<one request of %s events and %s candidates"
                    .formatted(Numbers.count(counted), Numbers.count(candidates)),
                "MFLOP")
            .row("the user: events, merge, merged rows", mega(flops.user()))
            .row("globals and candidates", mega(flops.candidates()))
            .row("forward", mega(flops.total()))
            .row("training step", mega(flops.trainingStep())));
  }

  private static String mega(double flops) {
    return Numbers.count(flops / 1e6);
  }
}
