package ai.longer.data;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StringIdsTest {
  @ParameterizedTest
  @CsvSource({
    "'', EF46DB3751D8E999",
    "a, D24EC4F1A98C6E5B",
    "abc, 44BC2CF5AD770999",
    "Nobody inspects the spammish repetition, FBCEA83C8A378BF1",
    "The quick brown fox jumps over the lazy dog, 0B242D361FDA71BC"
  })
  void hashesAsPublished(String text, String hash) {
    assertThat(StringIds.hash(text)).isEqualTo(Long.parseUnsignedLong(hash, 16));
  }
}
