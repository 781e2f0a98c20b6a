package ai.longer.parquet;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What depending on this module brings along. */
class HadoopJarsTest {
  private static Stream<String> jars() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(entry -> new File(entry).getName())
        .filter(name -> name.endsWith(".jar"));
  }

  /** Hadoop's own dependencies are about 80 jars; nothing of them is here. */
  @Test
  void noOtherHadoopJar() {
    assertThat(jars().filter(name -> name.contains("hadoop") && !name.startsWith("parquet")))
        .extracting(name -> name.replaceFirst("-[0-9].*", ""))
        .containsExactlyInAnyOrder("hadoop-common", "hadoop-mapreduce-client-core");
    List<String> typical =
        List.of("guava", "protobuf", "jersey", "jetty", "netty", "curator", "zookeeper", "avro");
    assertThat(jars().filter(name -> typical.stream().anyMatch(name::startsWith))).isEmpty();
  }
}
