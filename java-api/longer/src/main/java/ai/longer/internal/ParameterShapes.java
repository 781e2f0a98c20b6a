package ai.longer.internal;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Names and shapes of a model's dense parameters. Immutable; safe for use by several threads. */
public final class ParameterShapes {
  private final Map<String, List<Integer>> shapes = new LinkedHashMap<>();

  private ParameterShapes() {}

  /** Reads {@code [{"name": …, "shape": […]}, …]}. */
  static ParameterShapes parse(String json) {
    ParameterShapes parsed = new ParameterShapes();
    for (Object element : (List<?>) Json.parse(json)) {
      Map<?, ?> parameter = (Map<?, ?>) element;
      List<Integer> shape = new ArrayList<>();
      List<?> sizes = (List<?>) Objects.requireNonNull(parameter.get("shape"), "shape");
      for (Object size : sizes) {
        shape.add(Math.toIntExact((Long) size));
      }
      String name = (String) Objects.requireNonNull(parameter.get("name"), "name");
      parsed.shapes.put(name, List.copyOf(shape));
    }
    return parsed;
  }

  /** Returns the names in arena order. */
  public List<String> names() {
    return List.copyOf(shapes.keySet());
  }

  /**
   * Returns the shape of a parameter.
   *
   * @throws IllegalArgumentException if there is no such parameter
   */
  public List<Integer> shape(String name) {
    List<Integer> shape = shapes.get(name);
    if (shape == null) {
      throw new IllegalArgumentException(
          "[model] no parameter is named \"%s\"; expected one of %s"
              .formatted(name, shapes.keySet()));
    }
    return shape;
  }

  /** The number of values of a parameter. */
  int size(String name) {
    int size = 1;
    for (int dimension : shape(name)) {
      size = Math.multiplyExact(size, dimension);
    }
    return size;
  }
}
