package ai.longer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.CorruptDataException;
import ai.longer.support.Samples;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShardsTest {
  @TempDir Path folder;

  private Path path() {
    return folder.resolve("data.shards");
  }

  @Test
  void storesTheEventsOfAUserOnce() {
    RequestSource requests = Samples.plainLog(20, 50).build().training();
    long candidates = requests.stream().mapToLong(r -> r.candidates().size()).sum();
    List<DataProgress> told = new ArrayList<>();
    ShardCounts written = Shards.write(path(), Samples.PLAIN_SCHEMA, requests, told::add);
    try (Shards shards = Shards.open(path())) {
      assertThat(shards.counts()).isEqualTo(written);
      assertThat(shards.folder()).isEqualTo(path());
      assertThat(shards.describe()).contains(path().toString(), "\"item\"");
    }
    assertThat(written.requests()).isEqualTo(requests.stream().count());
    assertThat(written.candidates()).isEqualTo(candidates);
    assertThat(written.logs()).isEqualTo(20);
    assertThat(written.events()).isLessThanOrEqualTo(20 * 50);
    DataProgress last = told.get(told.size() - 1);
    assertThat(last.rows()).isEqualTo(written.requests());
    assertThat(last.done()).isEqualTo(1);
    assertThat(last.bytes()).isEqualTo(written.bytes());
  }

  @Test
  void damageIsNamed() throws IOException {
    Shards.write(path(), Samples.PLAIN_SCHEMA, Samples.plainLog(3, 9).build().training());
    Path file = path().resolve("shard-00000.safetensors");
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 1] ^= 1;
    Files.write(file, bytes);
    assertThatThrownBy(() -> Shards.open(path()))
        .isInstanceOf(CorruptDataException.class)
        .hasMessageContaining(file.toString());
    Shards.openUnverified(path()).close();
    assertThatThrownBy(() -> Shards.open(folder.resolve("absent")))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("absent");
  }

  @Test
  void aFailedWriteLeavesWhatWasThere() {
    RequestSource good = Samples.plainLog(3, 9).build().training();
    ShardCounts before = Shards.write(path(), Samples.PLAIN_SCHEMA, good);
    RequestSource failing =
        () ->
            good.stream()
                .peek(
                    request -> {
                      if (request.groupKey() > 0) {
                        throw new IllegalStateException("source failed");
                      }
                    });
    assertThatThrownBy(() -> Shards.write(path(), Samples.PLAIN_SCHEMA, failing))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> Shards.write(path(), Samples.SCHEMA, good))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("another schema");
    try (Shards shards = Shards.open(path())) {
      assertThat(shards.counts()).isEqualTo(before);
    }
    assertThat(folder.toFile().list()).containsExactly("data.shards");
  }

  @Test
  void requestsWithoutLabelsMayBeWritten() {
    List<Request> requests = new ArrayList<>(Samples.labelled(10));
    requests.add(5, Samples.request(3, 2, 100));
    ShardCounts counts = Shards.write(path(), Samples.SCHEMA, RequestSource.of(requests));
    assertThat(counts.requests()).isEqualTo(11);
  }

  @Test
  void theBarShowsSpeedAndTimeLeft() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataListener bar =
        new DataProgressBar(new PrintStream(bytes, true, StandardCharsets.UTF_8), false);
    bar.onProgress(new DataProgress("shards", 10, 0.1, 1000, 1)); // too early for a line
    bar.onProgress(new DataProgress("shards", 20_000, 0.5, 2_000_000, 10));
    bar.onProgress(new DataProgress("shards", 40_000, 1, 4_000_000, 20));
    bar.onProgress(new DataProgress("sort", 5, Double.NaN, 0, 6));
    assertThat(bytes.toString(StandardCharsets.UTF_8).lines())
        .containsExactly(
            "shards  50 % 20.0k rows  2000 rows/s  2.0 MB  ETA 0:10",
            "shards 100 % 40.0k rows  2000 rows/s  4.0 MB  in 0:20",
            "sort  5 rows  1 rows/s  ETA unknown");
  }
}
