package ai.longer.samples.quickstart;

import ai.longer.report.Numbers;
import ai.longer.report.TextTable;
import ai.longer.training.TrainingListener;
import java.util.List;

/** The settings that were compared, each by its best AUC on the validation requests. */
record Grid(Experiment experiment) {
  private static final long SEED = 1;
  private static final List<Settings> SETTINGS =
      List.of(
          new Settings(1e-3, 0.05, 0.01),
          new Settings(1e-3, 0.02, 0.3),
          new Settings(3e-3, 0.02, 0.01),
          new Settings(3e-3, 0.02, 0.3),
          new Settings(3e-3, 0.008, 0.3),
          new Settings(3e-3, 0.008, 1.0));

  String compare() {
    TextTable table =
        new TextTable("<model", "rate", "table rate", "decay", "best epoch", "validation AUC");
    for (Variant variant : Variant.values()) {
      for (Settings settings : SETTINGS) {
        var best =
            experiment
                .search(variant, settings, SEED, new TrainingListener() {})
                .bestValidation()
                .orElseThrow();
        table.row(
            variant.title(),
            Double.toString(settings.learningRate()),
            Double.toString(settings.tableLearningRate()),
            Double.toString(settings.weightDecay()),
            Integer.toString(best.epoch()),
            Numbers.score(best.auc()));
      }
    }
    return table.toString();
  }
}
