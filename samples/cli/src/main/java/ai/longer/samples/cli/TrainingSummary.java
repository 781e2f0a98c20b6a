package ai.longer.samples.cli;

import ai.longer.LongerConfig;
import ai.longer.report.Numbers;
import ai.longer.report.TextTable;
import ai.longer.training.EpochResult;
import ai.longer.training.TrainingResult;
import ai.longer.training.TrainingResult.Outcome;
import ai.longer.training.ValidationResult;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What is told of a run at its end. */
record TrainingSummary(TrainingResult result, Path model, LongerConfig config) {
  void print(Console console, boolean isJson) {
    if (isJson) {
      console.json(json());
      return;
    }
    TextTable epochs =
        new TextTable("epoch", "loss", "requests", "requests/s", "log loss", "AUC", "<");
    for (EpochResult epoch : result.epochs()) {
      Optional<ValidationResult> validation =
          result.validations().stream().filter(v -> v.epoch() == epoch.epoch()).findFirst();
      epochs.row(
          Integer.toString(epoch.epoch()),
          Numbers.score(epoch.loss()),
          Numbers.count(epoch.numRequests()),
          Numbers.count(epoch.numRequests() / epoch.seconds()),
          validation.map(v -> Numbers.score(v.logLoss())).orElse(""),
          validation.map(v -> Numbers.score(v.auc())).orElse(""),
          validation.filter(ValidationResult::best).isPresent() ? "best so far" : "");
    }
    console.print(epochs);
    if (result.outcome() != Outcome.INTERRUPTED) {
      console.print("model: " + model);
    }
  }

  private Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("outcome", result.outcome().name().toLowerCase(Locale.ROOT));
    json.put("model", result.outcome() == Outcome.INTERRUPTED ? null : model.toString());
    json.put("steps", result.step());
    json.put("seconds", result.seconds());
    json.put("epochs", result.epochs().stream().map(TrainingSummary::json).toList());
    json.put("validations", result.validations().stream().map(TrainingSummary::json).toList());
    json.put("task", config.schema().tasks().get(0).name());
    return json;
  }

  private static Map<String, Object> json(EpochResult epoch) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("epoch", epoch.epoch());
    json.put("step", epoch.step());
    json.put("loss", finite(epoch.loss()));
    json.put("requests", epoch.numRequests());
    json.put("events", epoch.numEvents());
    json.put("candidates", epoch.numCandidates());
    json.put("seconds", epoch.seconds());
    return json;
  }

  private static Map<String, Object> json(ValidationResult validation) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("epoch", validation.epoch());
    json.put("step", validation.step());
    json.put("log_loss", finite(validation.logLoss()));
    json.put("auc", finite(validation.auc()));
    json.put("candidates", validation.numCandidates());
    json.put("best", validation.best());
    return json;
  }

  /** JSON has no NaN. */
  private static @Nullable Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }
}
