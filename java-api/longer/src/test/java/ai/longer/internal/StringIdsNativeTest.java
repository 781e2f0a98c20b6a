package ai.longer.internal;

import static org.assertj.core.api.Assertions.assertThat;

import ai.longer.data.StringIds;
import ai.longer.internal.capi.LongerC;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.StringLength;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/** Java and the native core give a text one id. */
class StringIdsNativeTest {
  @Property(tries = 500)
  void equalThoseOfTheNativeCore(@ForAll @StringLength(max = 200) String text) {
    NativeLibrary.load();
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    ByteBuffer memory = Memory.allocate(utf8.length + 1).put(utf8);
    BytePointer pointer = new BytePointer(new Pointer(memory.rewind()));
    assertThat(StringIds.hash(text)).isEqualTo(LongerC.longer_hash_id(pointer, utf8.length));
  }
}
