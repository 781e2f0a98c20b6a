package ai.longer.torch;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.Schema;
import ai.longer.TableRows;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.ByteVector;
import org.bytedeco.pytorch.GenericDict;
import org.bytedeco.pytorch.GenericDictEntryRef;
import org.bytedeco.pytorch.GenericDictIterator;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Named tensors that a Python program saved: {@code torch.save(dict(model.cpu().state_dict()),
 * path)}.
 *
 * <p>Read by PyTorch's own unpickler, which knows tensors, numbers, strings, lists and plain
 * dictionaries and runs no code of the file. Immutable; safe for use by several threads.
 */
@SuppressWarnings("try") // a PointerScope is opened, not read
public final class TorchDict {
  private static final String REMEDY =
      "expected what torch.save({name: tensor, …}, path) writes of tensors on the CPU, such as"
          + " torch.save(dict(model.cpu().state_dict()), path)";

  private final Map<String, Values> tensors;

  /** One of {@code floats} and {@code longs} holds the values, row-major. */
  private record Values(List<Long> shape, float @Nullable [] floats, long @Nullable [] longs) {
    static Values of(Tensor tensor) {
      List<Long> shape = Arrays.stream(tensor.shape()).boxed().toList();
      return tensor.is_floating_point()
          ? new Values(shape, Precision.floats(tensor), null)
          : new Values(shape, null, Precision.longs(tensor));
    }
  }

  private TorchDict(Map<String, Values> tensors) {
    this.tensors = tensors;
  }

  /**
   * Reads a file that {@code torch.save} wrote of a dictionary of tensors.
   *
   * @throws UncheckedIOException if the file cannot be read
   * @throws IllegalArgumentException if it holds anything else; the message names the file and what
   *     is expected
   */
  public static TorchDict read(Path file) {
    byte[] bytes = bytes(file);
    try (PointerScope scope = new PointerScope()) {
      IValue root = torch.pickle_load(new ByteVector(bytes));
      if (!root.isGenericDict()) {
        throw unexpected(file, "a " + root.tagKind().getString(), null);
      }
      return new TorchDict(tensors(file, root.toGenericDict()));
    } catch (IllegalArgumentException e) {
      throw e;
    } catch (RuntimeException e) { // JavaCPP throws nothing narrower for a C++ exception
      throw unexpected(
          file, "\"" + String.valueOf(e.getMessage()).lines().findFirst().orElse("") + "\"", e);
    }
  }

  /** Returns the names, in the order of the file. */
  public Set<String> names() {
    return tensors.keySet();
  }

  /**
   * Returns a tensor's shape.
   *
   * @throws IllegalArgumentException if there is no such tensor
   */
  public List<Long> shape(String name) {
    return values(name).shape();
  }

  /**
   * Returns a copy of a floating-point tensor, row-major, rounded to 32 bits.
   *
   * @throws IllegalArgumentException if there is no such tensor or it holds integers
   */
  public float[] floats(String name) {
    float[] floats = values(name).floats();
    if (floats == null) {
      throw new IllegalArgumentException(
          "[torch] \"" + name + "\" holds integers, expected floats");
    }
    return floats.clone();
  }

  /**
   * Returns a copy of an integer or boolean tensor, row-major.
   *
   * @throws IllegalArgumentException if there is no such tensor or it holds floats
   */
  public long[] longs(String name) {
    long[] longs = values(name).longs();
    if (longs == null) {
      throw new IllegalArgumentException(
          "[torch] \"" + name + "\" holds floats, expected integers");
    }
    return longs.clone();
  }

  /**
   * Makes a model of the tensors, to be saved or served as any other.
   *
   * <p>The dictionary holds every parameter of native/docs/model.md under its name, and for each
   * growable table {@code table.<name>.ids} [n], distinct integers in any order, and {@code
   * table.<name>.rows} [n + 1, width], the out-of-vocabulary row first; nothing else.
   *
   * @throws IllegalArgumentException if names or shapes differ from the configuration's; the
   *     message lists them
   */
  public LongerModel model(LongerConfig config, Device device) {
    Map<String, List<Long>> expected = expectedShapes(config);
    checkFit(expected);
    Map<String, float[]> parameters = new LinkedHashMap<>();
    ParameterShapes.of(config).keySet().forEach(name -> parameters.put(name, floats(name)));
    Map<String, TableRows> tables = new LinkedHashMap<>();
    for (Schema.Table table : config.schema().tables()) {
      if (table.rows() == 0) {
        tables.put(
            table.name(), new TableRows(longs(ids(table)), floats(rows(table)), table.width()));
      }
    }
    return LongerModel.of(config, parameters, tables, device);
  }

  private static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException("[torch] cannot read " + file, e);
    }
  }

  private static Map<String, Values> tensors(Path file, GenericDict dict) {
    Map<String, Values> tensors = new LinkedHashMap<>();
    GenericDictIterator end = dict.end();
    for (GenericDictIterator at = dict.begin(); !at.equals(end); at.increment()) {
      GenericDictEntryRef entry = at.access();
      IValue key = entry.key();
      if (!key.isString()) {
        throw unexpected(file, "a key that is a " + key.tagKind().getString(), null);
      }
      String name = key.toStringRef().getString();
      IValue value = entry.value();
      if (!value.isTensor()) {
        throw unexpected(file, "\"" + name + "\", a " + value.tagKind().getString(), null);
      }
      tensors.put(name, Values.of(value.toTensor()));
    }
    return tensors;
  }

  private Map<String, List<Long>> expectedShapes(LongerConfig config) {
    Map<String, List<Long>> expected = new TreeMap<>();
    ParameterShapes.of(config)
        .forEach((name, shape) -> expected.put(name, Arrays.stream(shape).boxed().toList()));
    for (Schema.Table table : config.schema().tables()) {
      if (table.rows() == 0) {
        Values ids = tensors.get(ids(table));
        long count = ids == null || ids.shape().size() != 1 ? 0 : ids.shape().get(0);
        expected.put(ids(table), List.of(count));
        expected.put(rows(table), List.of(count + 1, (long) table.width()));
      }
    }
    return expected;
  }

  private void checkFit(Map<String, List<Long>> expected) {
    Set<String> missing = new TreeSet<>(expected.keySet());
    missing.removeAll(tensors.keySet());
    Set<String> surplus = new TreeSet<>(tensors.keySet());
    surplus.removeAll(expected.keySet());
    if (!missing.isEmpty() || !surplus.isEmpty()) {
      throw new IllegalArgumentException(
          "[torch] names differ from the configuration's; missing %s, surplus %s"
              .formatted(missing, surplus));
    }
    expected.forEach(
        (name, shape) -> {
          if (!shape(name).equals(shape)) {
            throw new IllegalArgumentException(
                "[torch] shape of \"%s\"; got %s, expected %s".formatted(name, shape(name), shape));
          }
        });
  }

  private Values values(String name) {
    Values values = tensors.get(name);
    if (values == null) {
      throw new IllegalArgumentException(
          "[torch] no tensor is named \"%s\"; got %s".formatted(name, tensors.keySet()));
    }
    return values;
  }

  private static String ids(Schema.Table table) {
    return "table." + table.name() + ".ids";
  }

  private static String rows(Schema.Table table) {
    return "table." + table.name() + ".rows";
  }

  private static IllegalArgumentException unexpected(
      Path file, String got, @Nullable RuntimeException cause) {
    return new IllegalArgumentException(
        "[torch] " + file + " is no dictionary of tensors; got " + got + ", " + REMEDY, cause);
  }
}
