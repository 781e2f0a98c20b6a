package ai.longer.torch;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A model folder written by the text of native/docs/model-format.md alone: nothing of the SDK is
 * used here.
 */
final class PlainFolderWriter {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int ALIGNMENT = 8;

  private PlainFolderWriter() {}

  static PlainFolder.Tensor floats(List<Long> shape, float[] values) {
    ByteBuffer data = buffer(values.length * Float.BYTES);
    data.asFloatBuffer().put(values);
    return new PlainFolder.Tensor("F32", shape, data);
  }

  static PlainFolder.Tensor longs(List<Long> shape, long[] values) {
    ByteBuffer data = buffer(values.length * Long.BYTES);
    data.asLongBuffer().put(values);
    return new PlainFolder.Tensor("I64", shape, data);
  }

  static void write(
      Path folder,
      String config,
      Map<String, PlainFolder.Tensor> dense,
      Map<String, PlainFolder.Tensor> tables)
      throws IOException {
    Map<String, byte[]> contents = new TreeMap<>();
    contents.put("config.json", config.getBytes(StandardCharsets.UTF_8));
    contents.put("dense.safetensors", safetensors(dense));
    contents.put("tables.safetensors", safetensors(tables));
    ObjectNode manifest = JSON.createObjectNode();
    manifest.put("format", "longer-model").put("format_version", 1);
    ObjectNode entries = manifest.putObject("files");
    Files.createDirectories(folder);
    for (Map.Entry<String, byte[]> file : contents.entrySet()) {
      byte[] bytes = file.getValue();
      Files.write(folder.resolve(file.getKey()), bytes);
      entries
          .putObject(file.getKey())
          .put("bytes", bytes.length)
          .put("crc32c", PlainFolder.crc32c(bytes));
    }
    Files.writeString(folder.resolve("MANIFEST.json"), manifest.toPrettyString());
  }

  /** Wider types first, so that each tensor is aligned. */
  private static byte[] safetensors(Map<String, PlainFolder.Tensor> tensors) throws IOException {
    ObjectNode header = JSON.createObjectNode();
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    List<String> names =
        tensors.keySet().stream()
            .sorted(
                Comparator.comparing(
                        (String name) -> !Found.in(tensors, name).dtype().equals("I64"))
                    .thenComparing(Comparator.naturalOrder()))
            .toList();
    for (String name : names) {
      PlainFolder.Tensor tensor = Found.in(tensors, name);
      ObjectNode entry = header.putObject(name).put("dtype", tensor.dtype());
      tensor.shape().forEach(entry.putArray("shape")::add);
      int begin = data.size();
      data.write(tensor.data().array());
      entry.putArray("data_offsets").add(begin).add(data.size());
    }
    StringBuilder text = new StringBuilder(header.toString());
    while (text.toString().getBytes(StandardCharsets.UTF_8).length % ALIGNMENT != 0) {
      text.append(' ');
    }
    byte[] headerBytes = text.toString().getBytes(StandardCharsets.UTF_8);
    return buffer(Long.BYTES + headerBytes.length + data.size())
        .putLong(headerBytes.length)
        .put(headerBytes)
        .put(data.toByteArray())
        .array();
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
