package ai.longer.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.longer.Device;
import ai.longer.GlobalVisibility;
import ai.longer.Head;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.Schema;
import ai.longer.TableRows;
import ai.longer.data.Request;
import ai.longer.training.TrainerOptions;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Folders in native/tests/golden that every release must read: {@code first_release} was written by
 * the release that brought format version 1 (its logits are those of {@code features.json}), {@code
 * pytorch} by PyTorch, without the SDK's writer, and {@code pytorch.json} holds requests with the
 * logits that PyTorch gave them in double precision.
 */
class CommittedFoldersTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path GOLDEN = Path.of("../../native/tests/golden");
  private static final int STEPS = 3;

  @Test
  void theFirstReleasesFolderScoresAsRecorded() throws IOException {
    check("first_release", json("features.json"));
  }

  @Test
  void pytorchsFolderScoresAsInPyTorch() throws IOException {
    check("pytorch", json("pytorch.json"));
  }

  private static void check(String folder, JsonNode golden) {
    try (LongerModel model = LongerModel.load(GOLDEN.resolve(folder), Device.cpu(1))) {
      List<Request> requests = GoldenRequests.read(model.config().schema(), golden.get("batch"));
      double[] logits = JSON.convertValue(golden.get("logits"), double[].class);
      SdkLogits.check(new double[][] {logits}, model, requests);
    }
  }

  /**
   * Writes {@code pytorch} and {@code pytorch.json} anew: {@code -Dlonger.golden.record=true}. To
   * be used when the format's version rises, beside a reader of the old one.
   */
  @Test
  @EnabledIfSystemProperty(named = "longer.golden.record", matches = "true")
  void record() throws IOException {
    JsonNode golden = json("features.json");
    LongerConfig config =
        LongerConfig.parse(golden.get("config").toString()).toBuilder()
            .innerLayers(1)
            .globalVisibility(GlobalVisibility.STRICT)
            .head(Head.ALL)
            .selfLayers(2)
            .build();
    List<Request> requests = GoldenRequests.read(config.schema(), golden.get("batch"));
    try (TorchLonger torch =
        TorchLonger.create(config, TrainerOptions.defaults(), Precision.DOUBLE)) {
      for (int step = 0; step < STEPS; step++) {
        torch.step(requests);
      }
      try (LongerModel rounded = torch.model(Device.cpu(1))) {
        torch.copyFrom(rounded);
        write(GOLDEN.resolve("pytorch"), config, rounded);
      }
      ObjectNode recorded = JSON.createObjectNode();
      recorded.set("batch", golden.get("batch"));
      recorded.set("logits", JSON.valueToTree(torch.logits(requests)[0]));
      Files.writeString(GOLDEN.resolve("pytorch.json"), recorded.toPrettyString() + "\n");
    }
    PlainFolder written = new PlainFolder(GOLDEN.resolve("pytorch"));
    assertEquals(config, PlainConfig.read(written.config()));
    assertArrayEquals(
        new String[] {"dense.safetensors", "tables.safetensors"}, written.files().toArray());
  }

  private static void write(Path folder, LongerConfig config, LongerModel model)
      throws IOException {
    Map<String, PlainFolder.Tensor> dense = new TreeMap<>();
    ParameterShapes.of(config)
        .forEach(
            (name, shape) ->
                dense.put(
                    name,
                    PlainFolderWriter.floats(
                        Arrays.stream(shape).boxed().toList(), model.parameter(name))));
    Map<String, PlainFolder.Tensor> tables = new TreeMap<>();
    for (Schema.Table table : config.schema().tables()) {
      if (table.rows() == 0) {
        TableRows rows = model.table(table.name());
        long count = rows.ids().length;
        String name = "table." + table.name();
        tables.put(name + ".ids", PlainFolderWriter.longs(List.of(count), rows.ids()));
        tables.put(
            name + ".rows",
            PlainFolderWriter.floats(List.of(count + 1, (long) table.width()), rows.rows()));
      }
    }
    PlainFolderWriter.write(folder, config.toJson(), dense, tables);
  }

  private static JsonNode json(String file) throws IOException {
    return JSON.readTree(Files.readAllBytes(GOLDEN.resolve(file)));
  }
}
