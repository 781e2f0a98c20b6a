package ai.longer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.serving.Ranker;
import ai.longer.serving.RankingRequest;
import ai.longer.support.NoLeaks;
import ai.longer.support.Samples;
import ai.longer.training.Trainer;
import ai.longer.training.TrainerOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(NoLeaks.class)
class LongerModelTest {
  @TempDir Path folder;

  @Test
  void equalSeedsGiveEqualBits() {
    try (LongerModel one = LongerModel.create(Samples.CONFIG, 1, Device.cpu(1));
        LongerModel same = LongerModel.create(Samples.CONFIG, 1, Device.cpu(2));
        LongerModel other = LongerModel.create(Samples.CONFIG, 2, Device.cpu())) {
      assertThat(one.parameter("layers.0.qkv.weight"))
          .isEqualTo(same.parameter("layers.0.qkv.weight"))
          .isNotEqualTo(other.parameter("layers.0.qkv.weight"));
      assertThat(one.version()).isNotEqualTo(same.version());
      assertThat(one.config()).isEqualTo(Samples.CONFIG);
    }
  }

  @Test
  void parametersHaveTheirShapes() {
    try (LongerModel model = LongerModel.create(Samples.CONFIG, 1, Device.cpu(1))) {
      long total = 0;
      for (String name : model.parameterNames()) {
        int size = model.parameterShape(name).stream().reduce(1, Math::multiplyExact);
        assertThat(model.parameter(name)).as(name).hasSize(size);
        total += size;
      }
      assertThat(total).isEqualTo(model.numParameters());
      assertThat(model.parameterShape("global.cls"))
          .isEqualTo(List.of(1, Samples.CONFIG.modelWidth()));
      assertThat(model.parameterNames()).contains("table.genre.weight").doesNotHaveDuplicates();
      assertThatThrownBy(() -> model.parameter("nonsense"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("nonsense");
    }
  }

  @Test
  void savedModelsReadBackEqual() {
    Path saved = folder.resolve("model");
    try (Trainer trainer =
            Trainer.create(Samples.CONFIG, Device.cpu(1), TrainerOptions.defaults());
        LongerModel trained = trained(trainer)) {
      trained.save(saved);
      trained.save(saved); // Over what is there.
      try (LongerModel loaded = LongerModel.load(saved, Device.cpu(1));
          Ranker first = trained.ranker();
          Ranker second = loaded.ranker()) {
        assertThat(loaded.config()).isEqualTo(Samples.CONFIG);
        assertThat(loaded.numTableRows()).isEqualTo(trained.numTableRows()).isPositive();
        for (String name : trained.parameterNames()) {
          assertThat(loaded.parameter(name)).as(name).isEqualTo(trained.parameter(name));
        }
        TableRows rows = loaded.table("item");
        assertThat(rows.ids()).isSorted().isEqualTo(trained.table("item").ids());
        assertThat(rows.rows()).isEqualTo(trained.table("item").rows());
        assertThat(rows.row(-1)).isEqualTo(rows.row(-2)).hasSize(8);
        assertThat(rows.row(rows.ids()[3])).isNotEqualTo(rows.row(-1));
        RankingRequest request = RankingRequest.of(Samples.request(20, 5, 3));
        assertThat(second.rank(request).toArray()).isEqualTo(first.rank(request).toArray());
      }
    }
  }

  @Test
  void modelsOfGivenNumbersScoreEqually() {
    try (Trainer trainer =
            Trainer.create(Samples.CONFIG, Device.cpu(1), TrainerOptions.defaults());
        LongerModel trained = trained(trainer)) {
      Map<String, float[]> parameters = new HashMap<>();
      trained.parameterNames().forEach(name -> parameters.put(name, trained.parameter(name)));
      Map<String, TableRows> tables = new HashMap<>();
      for (Schema.Table table : Samples.CONFIG.schema().tables()) {
        if (table.rows() == 0) {
          tables.put(table.name(), trained.table(table.name()));
        }
      }
      RankingRequest request = RankingRequest.of(Samples.request(20, 5, 3));
      try (LongerModel built = LongerModel.of(Samples.CONFIG, parameters, tables, Device.cpu(1));
          Ranker first = trained.ranker();
          Ranker second = built.ranker()) {
        assertThat(second.rank(request).toArray()).isEqualTo(first.rank(request).toArray());
      }
      tables.put("item", new TableRows(new long[] {5}, new float[6], 3));
      assertThatThrownBy(() -> LongerModel.of(Samples.CONFIG, parameters, tables, Device.cpu(1)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("\"item\"");
      tables.remove("item");
      assertThatThrownBy(() -> LongerModel.of(Samples.CONFIG, parameters, tables, Device.cpu(1)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("table.item");
      parameters.put("head.fc9.weight", new float[1]);
      assertThatThrownBy(() -> LongerModel.of(Samples.CONFIG, parameters, tables, Device.cpu(1)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("head.fc9.weight");
    }
  }

  private static LongerModel trained(Trainer trainer) {
    trainer.step(Samples.labelled(20));
    return trainer.model();
  }

  @Test
  void tablesAreNamedInErrors() {
    try (LongerModel model = LongerModel.create(Samples.CONFIG, 1, Device.cpu(1))) {
      assertThat(model.table("item").ids()).isEmpty();
      assertThatThrownBy(() -> model.table("genre"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("\"genre\"");
    }
  }

  @Test
  void configurationErrorsLeaveNothingBehind() {
    LongerConfig config = Samples.CONFIG.toBuilder().heads(7).build();
    assertThatThrownBy(() -> LongerModel.create(config, 1, Device.cpu()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("/heads");
  }

  @Test
  void missingFoldersAreNamed() {
    Path nowhere = folder.resolve("nowhere");
    assertThatThrownBy(() -> LongerModel.load(nowhere, Device.cpu()))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining(nowhere.toString());
  }

  @Test
  void damagedFilesAreNamed() throws IOException {
    Path saved = folder.resolve("model");
    try (LongerModel model = LongerModel.create(Samples.CONFIG, 1, Device.cpu(1))) {
      model.save(saved);
    }
    Path weights;
    try (var files = Files.list(saved)) {
      weights = files.filter(f -> f.toString().endsWith(".safetensors")).findFirst().orElseThrow();
    }
    byte[] bytes = Files.readAllBytes(weights);
    bytes[bytes.length - 3] ^= 0x40;
    Files.write(weights, bytes);
    assertThatThrownBy(() -> LongerModel.load(saved, Device.cpu()))
        .isInstanceOf(CorruptDataException.class)
        .hasMessageContaining(weights.getFileName().toString());
  }

  @Test
  void foldersThatCannotBeWrittenAreNamed() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    try (LongerModel model = LongerModel.create(Samples.CONFIG, 1, Device.cpu(1))) {
      assertThatThrownBy(() -> model.save(file.resolve("model")))
          .isInstanceOf(UncheckedIOException.class)
          .hasMessageContaining("model");
    }
  }

  @Test
  void useAfterCloseIsAnIllegalState() {
    LongerModel model = LongerModel.create(Samples.CONFIG, 1, Device.cpu(1));
    model.close();
    model.close();
    assertThatThrownBy(model::version)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("[model] is closed");
    assertThatThrownBy(() -> model.parameter("global.cls"))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(model::ranker).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> model.save(folder.resolve("model")))
        .isInstanceOf(IllegalStateException.class);
    assertThat(model.config()).isEqualTo(Samples.CONFIG);
  }

  @Test
  void rankersOutliveTheirModel() {
    LongerModel model = LongerModel.create(Samples.CONFIG, 1, Device.cpu(1));
    try (Ranker ranker = model.ranker()) {
      RankingRequest request = RankingRequest.of(Samples.request(9, 3, 1));
      float[] before = ranker.rank(request).toArray();
      model.close();
      assertThat(ranker.rank(request).toArray()).isEqualTo(before);
    }
  }

  @Test
  void deviceProblemsAreTyped() {
    assertThatThrownBy(() -> Device.cpu(-1)).isInstanceOf(IllegalArgumentException.class);
    if (Doctor.report().contains("cuda: not in these natives")) {
      assertThatThrownBy(() -> LongerModel.create(Samples.CONFIG, 1, Device.cuda()))
          .isInstanceOf(UnsupportedOperationException.class)
          .hasMessageContaining("linux-x86_64-cuda13");
    }
    try (LongerModel model = LongerModel.create(Samples.CONFIG, 1, Device.best())) {
      assertThat(model.numParameters()).isPositive();
    }
  }
}
