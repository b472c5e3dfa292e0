package io.nucleusmem.receipts;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Results of blocking work as bytes, where they are plain: null, texts, numbers, truth values,
 * bytes, instants, durations, enum constants, and lists, sets, maps, optionals and records of such.
 * What is of the memory itself (entries, messages) is none: its content belongs into no other
 * place.
 *
 * <p>A value: {@code tag(1)}, then as {@link #write} has it. A class is named by its name.
 */
final class PlainValues {
  private static final int NULL = 0;
  private static final int TEXT = 1;
  private static final int INT = 2;
  private static final int LONG = 3;
  private static final int DOUBLE = 4;
  private static final int TRUE = 5;
  private static final int FALSE = 6;
  private static final int BYTES = 7;
  private static final int ARRAY = 8;
  private static final int INSTANT = 9;
  private static final int DURATION = 10;
  private static final int ENUM = 11;
  private static final int LIST = 12;
  private static final int SET = 13;
  private static final int MAP = 14;
  private static final int OPTIONAL = 15;
  private static final int RECORD = 16;
  private static final int DEPTH_MAX = 32; // of values in values
  private static final String MEMORY = "io.nucleusmem.memspace.";

  private PlainValues() {}

  /** A value that is not plain, or whose class is not there. */
  static final class NotPlain extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NotPlain(String what) {
      super(what, null, false, false);
    }
  }

  /**
   * A value's bytes, from which the same value can be made.
   *
   * @param loader that knows the agent's classes
   * @throws NotPlain where that is not so
   */
  static Bytes encode(Object value, ClassLoader loader) {
    BytesWriter out = new BytesWriter(64);
    write(value, out, 0);
    Bytes bytes = out.toBytes();
    if (!(value instanceof byte[]) && !Objects.equals(decode(bytes, loader), value)) {
      throw new NotPlain("a value of " + value.getClass().getName() + " that equals no copy of it");
    }
    return bytes;
  }

  private static void write(Object value, BytesWriter out, int depth) {
    if (depth > DEPTH_MAX) {
      throw new NotPlain("values in values, more than [%d] deep".formatted(DEPTH_MAX));
    }
    if (value == null) {
      out.u8(NULL);
    } else if (value instanceof String text) {
      out.u8(TEXT).text(text);
    } else if (value instanceof Integer number) {
      out.u8(INT).i64(number);
    } else if (value instanceof Long number) {
      out.u8(LONG).i64(number);
    } else if (value instanceof Double number) {
      out.u8(DOUBLE).i64(Double.doubleToRawLongBits(number));
    } else if (value instanceof Boolean truth) {
      out.u8(truth ? TRUE : FALSE);
    } else if (value instanceof Bytes bytes) {
      out.u8(BYTES).bytes(bytes);
    } else if (value instanceof byte[] array) {
      out.u8(ARRAY).bytes(Bytes.copyOf(array));
    } else if (value instanceof Instant instant) {
      out.u8(INSTANT).i64(instant.getEpochSecond()).i64(instant.getNano());
    } else if (value instanceof Duration duration) {
      out.u8(DURATION).i64(duration.getSeconds()).i64(duration.getNano());
    } else if (value instanceof Enum<?> constant) {
      out.u8(ENUM).text(constant.getDeclaringClass().getName()).text(constant.name());
    } else if (value instanceof List<?> list) {
      all(out.u8(LIST).varint(list.size()), list, depth);
    } else if (value instanceof Set<?> set) {
      all(out.u8(SET).varint(set.size()), set, depth);
    } else if (value instanceof Map<?, ?> map) {
      out.u8(MAP).varint(map.size());
      for (Map.Entry<?, ?> each : map.entrySet()) {
        write(each.getKey(), out, depth + 1);
        write(each.getValue(), out, depth + 1);
      }
    } else if (value instanceof Optional<?> optional) {
      write(optional.orElse(null), out.u8(OPTIONAL), depth + 1);
    } else if (value instanceof Record record) {
      write(record, out, depth);
    } else {
      throw new NotPlain("a value of " + value.getClass().getName());
    }
  }

  private static void all(BytesWriter out, Iterable<?> values, int depth) {
    for (Object each : values) {
      write(each, out, depth + 1);
    }
  }

  private static void write(Record record, BytesWriter out, int depth) {
    Class<?> type = record.getClass();
    if (type.getName().startsWith(MEMORY)) {
      throw new NotPlain("a value of the memory itself, " + type.getName());
    }
    RecordComponent[] components = type.getRecordComponents();
    out.u8(RECORD).text(type.getName()).varint(components.length);
    try {
      for (RecordComponent component : components) {
        Method accessor = component.getAccessor();
        accessor.setAccessible(true);
        write(accessor.invoke(record), out, depth + 1);
      }
    } catch (ReflectiveOperationException | RuntimeException hidden) {
      throw hidden instanceof NotPlain known ? known : new NotPlain("a value of " + type.getName());
    }
  }

  /**
   * The value of bytes.
   *
   * @throws NotPlain where a class is not there any more, or is another
   */
  static Object decode(Bytes bytes, ClassLoader loader) {
    return read(new BytesReader(bytes), loader);
  }

  private static Object read(BytesReader in, ClassLoader loader) {
    int tag = in.u8();
    return switch (tag) {
      case NULL -> null;
      case TEXT -> in.text();
      case INT -> (int) in.i64();
      case LONG -> in.i64();
      case DOUBLE -> Double.longBitsToDouble(in.i64());
      case TRUE -> true;
      case FALSE -> false;
      case BYTES -> in.bytes();
      case ARRAY -> in.bytes().toArray();
      case INSTANT -> Instant.ofEpochSecond(in.i64(), in.i64());
      case DURATION -> Duration.ofSeconds(in.i64(), in.i64());
      case ENUM -> constant(in.text(), in.text(), loader);
      case LIST -> {
        List<Object> list = new ArrayList<>();
        for (int left = in.count(); left > 0; left--) {
          list.add(read(in, loader));
        }
        yield list;
      }
      case SET -> {
        Set<Object> set = new LinkedHashSet<>();
        for (int left = in.count(); left > 0; left--) {
          set.add(read(in, loader));
        }
        yield set;
      }
      case MAP -> {
        Map<Object, Object> map = new LinkedHashMap<>();
        for (int left = in.count(); left > 0; left--) {
          map.put(read(in, loader), read(in, loader));
        }
        yield map;
      }
      case OPTIONAL -> Optional.ofNullable(read(in, loader));
      case RECORD -> record(in, loader);
      default -> throw new NotPlain("a value with the tag " + tag);
    };
  }

  private static Object constant(String type, String name, ClassLoader loader) {
    for (Object each : Optional.ofNullable(find(type, loader).getEnumConstants()).orElseThrow()) {
      if (((Enum<?>) each).name().equals(name)) {
        return each;
      }
    }
    throw new NotPlain("the constant [%s] of %s, which is not there".formatted(name, type));
  }

  private static Object record(BytesReader in, ClassLoader loader) {
    Class<?> type = find(in.text(), loader);
    int count = in.count();
    RecordComponent[] components = type.getRecordComponents();
    if (components == null || components.length != count) {
      throw new NotPlain("a value of %s, which has changed".formatted(type.getName()));
    }
    Class<?>[] types = new Class<?>[count];
    Object[] values = new Object[count];
    for (int i = 0; i < count; i++) {
      types[i] = components[i].getType();
      values[i] = read(in, loader);
    }
    try {
      Constructor<?> constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (ReflectiveOperationException | RuntimeException other) {
      throw new NotPlain("a value of %s, which can't be made".formatted(type.getName()));
    }
  }

  private static Class<?> find(String type, ClassLoader loader) {
    try {
      return Class.forName(type, false, loader);
    } catch (ClassNotFoundException gone) {
      throw new NotPlain("a value of %s, which is not there".formatted(type));
    }
  }
}
