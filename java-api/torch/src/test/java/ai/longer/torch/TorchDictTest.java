package ai.longer.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.Schema;
import ai.longer.TableRows;
import ai.longer.data.Request;
import ai.longer.training.TrainerOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files that Python wrote; {@code saved/save.py} is the program. */
class TorchDictTest {
  @TempDir Path folder;

  @Test
  void readsWhateverTheLayoutAndType() {
    TorchDict dict = TorchDict.read(saved("tensors.pt"));
    assertEquals(
        List.of(
            "float",
            "transposed",
            "column",
            "parameter",
            "double",
            "half",
            "bfloat16",
            "long",
            "int",
            "bool",
            "scalar",
            "empty"),
        List.copyOf(dict.names()));
    float[] floats = {0, 1, 2, 3, 4, 5};
    float[] quarters = {0, 0.25F, 0.5F, 0.75F, 1, 1.25F};
    check(dict, "float", List.of(2L, 3L), floats);
    check(dict, "transposed", List.of(3L, 2L), 0, 3, 1, 4, 2, 5);
    check(dict, "column", List.of(2L), 1, 4);
    check(dict, "parameter", List.of(2L, 3L), floats);
    check(dict, "double", List.of(2L, 3L), quarters);
    check(dict, "half", List.of(2L, 3L), quarters);
    check(dict, "bfloat16", List.of(2L, 3L), quarters);
    check(dict, "scalar", List.of(), 2.5F);
    check(dict, "empty", List.of(0L, 4L));
    assertArrayEquals(new long[] {Long.MIN_VALUE, Long.MAX_VALUE}, dict.longs("long"));
    assertArrayEquals(new long[] {-1, 7}, dict.longs("int"));
    assertArrayEquals(new long[] {1, 0}, dict.longs("bool"));
  }

  @Test
  void modelsScoreAsTheirTensorsDoInPyTorch() {
    TorchDict dict = TorchDict.read(saved("state_dict.pt"));
    LongerConfig config = config();
    List<Request> requests = new RandomRequests(config, 9).ragged();
    try (TorchLonger torch =
            TorchLonger.create(config, TrainerOptions.defaults(), Precision.DOUBLE);
        LongerModel model = dict.model(config, Device.cpu(1))) {
      for (String name : torch.parameterNames()) {
        float[] values = dict.floats(name);
        double[] doubles = new double[values.length];
        Arrays.setAll(doubles, i -> values[i]);
        torch.setParameter(name, doubles);
      }
      long[] ids = dict.longs("table.movie.ids");
      torch.setTable("movie", new TableRows(ids, dict.floats("table.movie.rows"), 4));
      SdkLogits.check(torch.logits(requests), model, requests);
      Path saved = folder.resolve("model");
      model.save(saved);
      try (LongerModel loaded = LongerModel.load(saved, Device.cpu(1))) {
        SdkLogits.check(torch.logits(requests), loaded, requests);
      }
    }
  }

  @Test
  void listsNamesThatDoNotFit() {
    TorchDict dict = TorchDict.read(saved("state_dict.pt"));
    LongerConfig other = config().toBuilder().selfLayers(2).clsTokens(0).build();
    String message = messageOf(() -> dict.model(other, Device.cpu(1)).close());
    assertTrue(message.contains("missing [layers.2.fc1.bias, "), message);
    assertTrue(message.contains("surplus [global.cls]"), message);
    LongerConfig longer = config().toBuilder().maxHistory(13).build();
    message = messageOf(() -> dict.model(longer, Device.cpu(1)).close());
    assertTrue(
        message.contains("\"event_encoder.position.weight\"; got [12, 7], expected [13, 7]"),
        message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "mixed.pt | \"epoch\", a Int",
        "list.pt | a GenericList",
        "ordered.pt | Expected GenericDict",
        "legacy.pt | zip archive",
        "gpu.pt | CUDA",
        "save.py | zip archive"
      })
  void saysWhatIsExpectedInsteadOf(String file, String got) {
    String message = messageOf(() -> TorchDict.read(saved(file)));
    assertTrue(message.contains(file), message);
    assertTrue(message.contains(got), message);
    assertTrue(message.contains("torch.save(dict(model.cpu().state_dict()), path)"), message);
  }

  @Test
  void damagedFilesAreRefused() throws IOException {
    byte[] whole = Files.readAllBytes(saved("tensors.pt"));
    Path damaged = folder.resolve("damaged.pt");
    for (int length = 0; length < whole.length; length += 97) {
      Files.write(damaged, Arrays.copyOf(whole, length));
      String message = messageOf(() -> TorchDict.read(damaged));
      assertTrue(message.contains("damaged.pt"), message);
    }
    Path nowhere = folder.resolve("nowhere.pt");
    UncheckedIOException missing =
        assertThrows(UncheckedIOException.class, () -> TorchDict.read(nowhere));
    assertTrue(missing.toString().contains("nowhere.pt"));
  }

  @Test
  void namesTensorsThatAreNotThere() {
    TorchDict dict = TorchDict.read(saved("tensors.pt"));
    assertTrue(messageOf(() -> dict.shape("weight")).contains("\"weight\""));
    assertTrue(messageOf(() -> dict.floats("long")).contains("holds integers"));
    assertTrue(messageOf(() -> dict.longs("float")).contains("holds floats"));
  }

  /** What {@code save.py} holds the parameters of. */
  private static LongerConfig config() {
    Schema schema =
        Schema.builder()
            .table("movie", 4)
            .denseTable("genre", 3, 5)
            .event("movie", "movie")
            .event("genre", "genre")
            .context("shelf", "genre")
            .candidate("movie", "movie")
            .candidate("genre", "genre")
            .task("like")
            .build();
    return LongerConfig.builder(schema)
        .maxHistory(12)
        .eventWidth(8)
        .mergeFactor(2)
        .innerHeads(2)
        .heads(4)
        .recentQueries(3)
        .selfLayers(1)
        .clsTokens(1)
        .timeBuckets(6)
        .timeWidth(3)
        .build();
  }

  private static void check(TorchDict dict, String name, List<Long> shape, float... values) {
    assertEquals(shape, dict.shape(name), name);
    assertArrayEquals(values, dict.floats(name), name);
  }

  private static String messageOf(Runnable call) {
    return assertThrows(IllegalArgumentException.class, call::run).toString();
  }

  private static Path saved(String file) {
    return Resources.path("saved/" + file);
  }
}
