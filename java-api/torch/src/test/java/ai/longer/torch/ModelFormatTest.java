package ai.longer.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.Schema;
import ai.longer.TableRows;
import ai.longer.data.Request;
import ai.longer.training.Gradients;
import ai.longer.training.TableGradient;
import ai.longer.training.Trainer;
import ai.longer.training.TrainerOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * native/docs/model-format.md is all that another program needs: {@link PlainFolder} and {@link
 * PlainConfig} were written from it, and {@link TorchLonger} from model.md; together they score a
 * saved model as the SDK does.
 */
class ModelFormatTest {
  private static final Path DOCS = Path.of("../../native/docs");

  @TempDir Path folder;

  @TestFactory
  Stream<DynamicTest> foldersScoreWithoutTheSdk() {
    return OptionGrid.all().entrySet().stream()
        .map(
            entry ->
                DynamicTest.dynamicTest(
                    entry.getKey(), () -> scoresAsTheSdk(entry.getKey(), entry.getValue())));
  }

  private void scoresAsTheSdk(String name, LongerConfig config) throws IOException {
    Path saved = folder.resolve(name);
    List<Request> requests = new RandomRequests(config, 1).ragged();
    List<Request> unseen = new RandomRequests(config, 2).ragged();
    try (Trainer trainer = Trainer.create(config, Device.cpu(1), TrainerOptions.defaults())) {
      trainer.step(requests);
      try (LongerModel model = trainer.model()) {
        model.save(saved);
        PlainFolder plain = new PlainFolder(saved);
        assertEquals(Set.of("dense.safetensors", "tables.safetensors"), plain.files());
        LongerConfig read = PlainConfig.read(plain.config());
        assertEquals(config, read);
        try (TorchLonger torch = torch(read, plain)) {
          SdkLogits.check(torch.logits(requests), model, requests);
          SdkLogits.check(torch.logits(unseen), model, unseen);
        }
      }
    }
  }

  @Test
  void checkpointsHoldTheFirstStepsMoments() throws IOException {
    LongerConfig config = OptionGrid.first();
    List<Request> requests = new RandomRequests(config, 1).ragged();
    TrainerOptions options = TrainerOptions.builder().clipNorm(0).build();
    Path saved = folder.resolve("checkpoint");
    try (Trainer trainer = Trainer.create(config, Device.cpu(1), options)) {
      Gradients gradients = trainer.gradients(requests);
      trainer.step(requests);
      trainer.save(saved);
      PlainFolder plain = new PlainFolder(saved);
      Map<String, PlainFolder.Tensor> optimizer = plain.file("optimizer.safetensors");
      Set<String> expected = new HashSet<>(Set.of("step"));
      assertArrayEquals(new long[] {1}, Found.in(optimizer, "step").longs());
      plain
          .dense()
          .forEach(
              (name, weights) -> {
                float[] gradient = Found.in(gradients.parameters(), name);
                double[] first = new double[gradient.length];
                double[] second = new double[gradient.length];
                Arrays.setAll(first, i -> (1 - options.beta1()) * gradient[i]);
                Arrays.setAll(second, i -> (1 - options.beta2()) * gradient[i] * gradient[i]);
                checkMoment(optimizer, "adam.m." + name, weights.shape(), first);
                checkMoment(optimizer, "adam.v." + name, weights.shape(), second);
                expected.add("adam.m." + name);
                expected.add("adam.v." + name);
              });
      for (Schema.Table table : config.schema().tables()) {
        if (table.rows() == 0) {
          long[] ids = Found.in(plain.tables(), "table." + table.name() + ".ids").longs();
          String name = "table." + table.name() + ".adagrad";
          TableGradient gradient = Found.in(gradients.tables(), table.name());
          assertArrayEquals(ids, gradient.ids(), name);
          double[] sums = new double[ids.length + 1];
          for (int i = 0; i < ids.length * table.width(); i++) {
            double value = gradient.rows()[i];
            sums[1 + i / table.width()] += value * value / table.width();
          }
          checkMoment(optimizer, name, List.of(ids.length + 1L), sums);
          expected.add(name);
          // Every id has its row, so none is pending.
          for (String pending : List.of("pending_ids", "pending_counts")) {
            String empty = "table." + table.name() + "." + pending;
            assertEquals(List.of(0L), Found.in(optimizer, empty).shape());
            expected.add(empty);
          }
        }
      }
      assertEquals(expected, optimizer.keySet());
    }
  }

  @Test
  void checksumsAreThoseOfTheText() throws IOException {
    String text = Files.readString(DOCS.resolve("model-format.md"));
    String digits = PlainFolder.crc32c("123456789".getBytes(StandardCharsets.US_ASCII));
    String nothing = PlainFolder.crc32c(new byte[0]);
    assertTrue(text.contains("`123456789` is `" + digits + "`"), digits);
    assertTrue(text.contains("empty file `" + nothing + "`"), nothing);
  }

  @Test
  void theTextNamesEveryKey() throws IOException {
    String text = Files.readString(DOCS.resolve("model-format.md"));
    try (LongerModel model = LongerModel.create(OptionGrid.first(), 1, Device.cpu(1))) {
      Path saved = folder.resolve("model");
      model.save(saved);
      List<String> missing = new ArrayList<>();
      for (String key : PlainFolder.names(new PlainFolder(saved).config())) {
        if (!text.contains("`" + key + "`")) {
          missing.add(key);
        }
      }
      assertEquals(List.of(), missing);
    }
  }

  private static TorchLonger torch(LongerConfig config, PlainFolder plain) {
    TorchLonger torch = TorchLonger.create(config, TrainerOptions.defaults(), Precision.DOUBLE);
    assertEquals(Set.copyOf(torch.parameterNames()), plain.dense().keySet());
    plain
        .dense()
        .forEach(
            (name, tensor) -> {
              float[] floats = tensor.floats();
              double[] values = new double[floats.length];
              Arrays.setAll(values, i -> floats[i]);
              torch.setParameter(name, values);
            });
    for (Schema.Table table : config.schema().tables()) {
      if (table.rows() == 0) {
        PlainFolder.Tensor rows = Found.in(plain.tables(), "table." + table.name() + ".rows");
        long[] ids = Found.in(plain.tables(), "table." + table.name() + ".ids").longs();
        assertEquals(List.of(ids.length + 1L, (long) table.width()), rows.shape());
        for (int i = 1; i < ids.length; i++) {
          assertTrue(ids[i - 1] < ids[i], "ids ascend");
        }
        torch.setTable(table.name(), new TableRows(ids, rows.floats(), table.width()));
      }
    }
    return torch;
  }

  private static void checkMoment(
      Map<String, PlainFolder.Tensor> optimizer, String name, List<Long> shape, double[] expected) {
    PlainFolder.Tensor moment = Found.in(optimizer, name);
    assertEquals(shape, moment.shape(), name);
    Agreement.fewRoundings().check(name, expected, moment.floats());
  }
}
