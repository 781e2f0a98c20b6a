package ai.longer.parquet;

import ai.longer.data.Cell;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.LongUnaryOperator;
import org.apache.parquet.column.Dictionary;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.Converter;
import org.apache.parquet.io.api.GroupConverter;
import org.apache.parquet.io.api.PrimitiveConverter;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.DateLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.IntLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimestampLogicalTypeAnnotation;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Type.Repetition;

/**
 * What a column of a file is as a {@link Cell}, and the converters that fill it. Lists may be
 * written in any of the ways that Parquet allows: what counts are the repeated levels on the way to
 * the one leaf. The first one makes elements, the second the values of an element. Not thread-safe.
 */
final class CellConverters {
  /** Lists beyond this are damage: a few bytes can claim billions of values. */
  static final int MAX_VALUES = 1 << 24;

  private static final long SECONDS_A_DAY = 86_400;
  private static final long JULIAN_DAY_OF_EPOCH = 2_440_588;
  private static final int MAX_DEPTH = 16;

  /** A column that cannot be read as a cell. */
  static final class UnreadableColumnException extends Exception {
    private static final long serialVersionUID = 1L;

    UnreadableColumnException(String message) {
      super(message);
    }
  }

  private final Cell cell;
  private final PrimitiveType leaf;
  private final int repeatedLevels;
  private final Converter converter;

  CellConverters(Type column) throws UnreadableColumnException {
    leaf = leafOf(column);
    repeatedLevels = repeatedLevels(column);
    if (repeatedLevels > 2) {
      throw new UnreadableColumnException("is a list of lists of lists");
    }
    cell = new Cell(kindOf(leaf));
    converter = converter(column, 0);
  }

  Cell cell() {
    return cell;
  }

  Converter converter() {
    return converter;
  }

  /** Called before each row. */
  void beginRow() {
    cell.clear();
  }

  /** Called after each row. */
  void endRow() {
    if (repeatedLevels == 0) {
      cell.endElement();
    }
  }

  private static PrimitiveType leafOf(Type column) throws UnreadableColumnException {
    Type type = column;
    for (int depth = 0; !type.isPrimitive(); depth++) {
      List<Type> fields = type.asGroupType().getFields();
      if (fields.size() != 1) {
        throw new UnreadableColumnException(
            "must be a value or a list; it has the fields "
                + fields.stream().map(Type::getName).toList());
      }
      if (depth == MAX_DEPTH) {
        throw new UnreadableColumnException("nests too deeply");
      }
      type = fields.get(0);
    }
    return type.asPrimitiveType();
  }

  private static int repeatedLevels(Type column) {
    int levels = 0;
    Type type = column;
    while (true) {
      levels += type.isRepetition(Repetition.REPEATED) ? 1 : 0;
      if (type.isPrimitive()) {
        return levels;
      }
      type = type.asGroupType().getType(0);
    }
  }

  private static Cell.Kind kindOf(PrimitiveType leaf) throws UnreadableColumnException {
    LogicalTypeAnnotation logical = leaf.getLogicalTypeAnnotation();
    if (logical instanceof LogicalTypeAnnotation.DecimalLogicalTypeAnnotation) {
      throw new UnreadableColumnException("is a decimal; write it as DOUBLE");
    }
    return switch (leaf.getPrimitiveTypeName()) {
      case INT32, INT64, INT96, BOOLEAN -> Cell.Kind.LONG;
      case FLOAT, DOUBLE -> Cell.Kind.DOUBLE;
      case BINARY -> Cell.Kind.TEXT;
      case FIXED_LEN_BYTE_ARRAY ->
          throw new UnreadableColumnException("has values of fixed length");
    };
  }

  private Converter converter(Type type, int levelsAbove) {
    boolean isElement = type.isRepetition(Repetition.REPEATED) && levelsAbove == 0;
    int levels = levelsAbove + (type.isRepetition(Repetition.REPEATED) ? 1 : 0);
    return type.isPrimitive()
        ? new Leaf(isElement)
        : new Group(converter(type.asGroupType().getType(0), levels), isElement);
  }

  private final class Group extends GroupConverter {
    private final Converter only;
    private final boolean isElement;

    Group(Converter only, boolean isElement) {
      this.only = only;
      this.isElement = isElement;
    }

    @Override
    public Converter getConverter(int field) {
      return only;
    }

    @Override
    public void start() {
      checkSize(cell.elements());
    }

    @Override
    public void end() {
      if (isElement) {
        cell.endElement();
      }
    }
  }

  private static void checkSize(int size) {
    if (size >= MAX_VALUES) {
      throw new IllegalStateException("a list has more than %d values".formatted(MAX_VALUES));
    }
  }

  private final class Leaf extends PrimitiveConverter {
    private final boolean isElement;
    private final LongUnaryOperator toLong = toLong();
    private String[] dictionary = {};

    Leaf(boolean isElement) {
      this.isElement = isElement;
    }

    /** Timestamps and dates become epoch seconds; unsigned numbers stay what they are. */
    private LongUnaryOperator toLong() {
      LogicalTypeAnnotation logical = leaf.getLogicalTypeAnnotation();
      if (logical instanceof TimestampLogicalTypeAnnotation timestamp) {
        long perSecond =
            switch (timestamp.getUnit()) {
              case MILLIS -> 1_000L;
              case MICROS -> 1_000_000L;
              case NANOS -> 1_000_000_000L;
            };
        return value -> Math.floorDiv(value, perSecond);
      }
      if (logical instanceof DateLogicalTypeAnnotation) {
        return days -> days * SECONDS_A_DAY;
      }
      if (logical instanceof IntLogicalTypeAnnotation integer
          && !integer.isSigned()
          && integer.getBitWidth() <= Integer.SIZE) {
        return value -> value & 0xFFFF_FFFFL;
      }
      return LongUnaryOperator.identity();
    }

    private void finish() {
      if (isElement) {
        cell.endElement();
      }
    }

    @Override
    public void addLong(long value) {
      checkSize(cell.size());
      cell.add(toLong.applyAsLong(value));
      finish();
    }

    @Override
    public void addInt(int value) {
      addLong(value);
    }

    @Override
    public void addBoolean(boolean value) {
      addLong(value ? 1 : 0);
    }

    @Override
    public void addDouble(double value) {
      checkSize(cell.size());
      cell.add(value);
      finish();
    }

    @Override
    public void addFloat(float value) {
      addDouble(value);
    }

    @Override
    public void addBinary(Binary value) {
      if (cell.kind() == Cell.Kind.LONG) {
        addLong(int96(value));
      } else {
        addText(value.toStringUsingUTF8());
      }
    }

    private void addText(String value) {
      checkSize(cell.size());
      cell.add(value);
      finish();
    }

    /** Epoch second of a time as Impala and Spark write it: nanoseconds of the day, Julian day. */
    private static long int96(Binary value) {
      ByteBuffer bytes = value.toByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
      long nanos = bytes.getLong(bytes.position());
      long day = bytes.getInt(bytes.position() + Long.BYTES);
      return (day - JULIAN_DAY_OF_EPOCH) * SECONDS_A_DAY + Math.floorDiv(nanos, 1_000_000_000L);
    }

    @Override
    public boolean hasDictionarySupport() {
      return cell.kind() == Cell.Kind.TEXT;
    }

    @Override
    public void setDictionary(Dictionary values) {
      dictionary = new String[values.getMaxId() + 1];
      for (int i = 0; i < dictionary.length; i++) {
        dictionary[i] = values.decodeToBinary(i).toStringUsingUTF8();
      }
    }

    @Override
    public void addValueFromDictionary(int id) {
      addText(dictionary[id]);
    }
  }
}
