package ai.longer.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.zip.CRC32C;

/**
 * A model folder read by the text of native/docs/model-format.md alone: nothing of the SDK is used
 * here. Every rule that the text states is asserted.
 */
final class PlainFolder {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MAX_HEADER = 16 << 20;

  private final JsonNode config;
  private final Map<String, Map<String, Tensor>> files = new TreeMap<>();

  /** Little-endian values, row-major. */
  record Tensor(String dtype, List<Long> shape, ByteBuffer data) {
    float[] floats() {
      assertEquals("F32", dtype);
      float[] values = new float[data.remaining() / Float.BYTES];
      data.duplicate().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
      return values;
    }

    long[] longs() {
      assertEquals("I64", dtype);
      long[] values = new long[data.remaining() / Long.BYTES];
      data.duplicate().order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(values);
      return values;
    }
  }

  /** Reads a folder; fails the test where it breaks a rule. */
  PlainFolder(Path folder) throws IOException {
    JsonNode manifest = JSON.readTree(Files.readAllBytes(folder.resolve("MANIFEST.json")));
    assertEquals(Set.of("files", "format", "format_version"), names(manifest));
    assertEquals("longer-model", manifest.get("format").asText());
    assertEquals(1, manifest.get("format_version").asInt());
    Map<String, byte[]> contents = new TreeMap<>();
    JsonNode entries = manifest.get("files");
    for (String name : names(entries)) {
      byte[] bytes = Files.readAllBytes(folder.resolve(name));
      assertEquals(Set.of("bytes", "crc32c"), names(entries.get(name)), name);
      assertEquals(entries.get(name).get("bytes").asLong(), bytes.length, name);
      assertEquals(entries.get(name).get("crc32c").asText(), crc32c(bytes), name);
      contents.put(name, bytes);
    }
    config = JSON.readTree(Found.in(contents, "config.json"));
    contents.forEach(
        (name, bytes) -> {
          if (name.endsWith(".safetensors")) {
            files.put(name, tensors(name, bytes));
          }
        });
  }

  /** {@code config.json}. */
  JsonNode config() {
    return config;
  }

  Set<String> files() {
    return files.keySet();
  }

  /** The tensors of a file by name. */
  Map<String, Tensor> file(String name) {
    return Found.in(files, name);
  }

  Map<String, Tensor> dense() {
    return file("dense.safetensors");
  }

  Map<String, Tensor> tables() {
    return file("tables.safetensors");
  }

  /** Eight lower-case hexadecimal digits. */
  static String crc32c(byte[] bytes) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes);
    return "%08x".formatted(checksum.getValue());
  }

  static Set<String> names(JsonNode object) {
    Set<String> names = new TreeSet<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static Map<String, Tensor> tensors(String file, byte[] bytes) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long headerBytes = buffer.getLong();
    assertTrue(headerBytes >= 2 && headerBytes <= MAX_HEADER, file);
    int dataBegin = Math.toIntExact(Long.BYTES + headerBytes);
    assertEquals('{', bytes[Long.BYTES], file);
    JsonNode header = json(bytes, Long.BYTES, dataBegin - Long.BYTES);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    long filled = 0;
    List<String> inOrder =
        names(header).stream()
            .filter(name -> !name.equals("__metadata__"))
            .sorted(
                Comparator.comparingLong((String name) -> offset(header, name, 0))
                    .thenComparingLong(name -> offset(header, name, 1)))
            .toList();
    for (String name : inOrder) {
      JsonNode entry = header.get(name);
      assertEquals(Set.of("dtype", "shape", "data_offsets"), names(entry), name);
      String dtype = entry.get("dtype").asText();
      int elementBytes = elementBytes(dtype);
      List<Long> shape = new ArrayList<>();
      entry.get("shape").forEach(size -> shape.add(size.asLong()));
      long begin = offset(header, name, 0);
      long end = offset(header, name, 1);
      long elements = shape.stream().reduce(1L, Math::multiplyExact);
      assertEquals(filled, begin, name + " starts where the one before ends");
      assertEquals(elements * elementBytes, end - begin, name);
      assertEquals(0, (dataBegin + begin) % elementBytes, name + " is aligned in the file");
      filled = end;
      int at = Math.toIntExact(dataBegin + begin);
      tensors.put(name, new Tensor(dtype, shape, buffer.slice(at, Math.toIntExact(end - begin))));
    }
    assertEquals(bytes.length - dataBegin, filled, file);
    return tensors;
  }

  private static int elementBytes(String dtype) {
    return switch (dtype) {
      case "F32", "I32" -> 4;
      case "I64" -> 8;
      default -> throw new AssertionError("dtype " + dtype);
    };
  }

  private static long offset(JsonNode header, String name, int which) {
    return header.get(name).get("data_offsets").get(which).asLong();
  }

  private static JsonNode json(byte[] bytes, int offset, int length) {
    try {
      return JSON.readTree(bytes, offset, length);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
