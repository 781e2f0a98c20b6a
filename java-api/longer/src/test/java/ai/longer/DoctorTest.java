package ai.longer;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DoctorTest {
  @Test
  void reportTellsWhatASupportRequestNeeds() {
    assertThat(Doctor.report())
        .contains("longer: ")
        .contains("java: " + System.getProperty("java.version"))
        .contains("platform: ")
        .contains("glibc: ")
        .contains("cpu tier: ")
        .containsPattern("cgroup memory limit: (no limit|\\d{1,15} bytes)")
        .contains("cuda: ")
        .containsPattern("best device: (cpu|cuda)")
        .contains("nvidia driver: ")
        .contains("native jars found: linux-x86_64")
        .contains("native library: ")
        .contains("cache folder: ")
        .contains("live handles: 0")
        .contains("native bytes: ");
  }
}
