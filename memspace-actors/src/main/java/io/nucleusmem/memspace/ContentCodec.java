package io.nucleusmem.memspace;

import io.nucleusmem.ledger.Version;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Contents as a ledger stores them: {@code type(1: 0 a text follows, else one of the known) [text]
 * metadata(varint) (name(text) value(text))* value}.
 */
final class ContentCodec {
  private static final List<String> KNOWN = List.of("", Content.TEXT, Content.JSON, Content.BINARY);
  private static final Content NOTHING = new Content(Bytes.EMPTY, Content.BINARY, Map.of());

  private ContentCodec() {}

  static Bytes encode(Content content) {
    BytesWriter out = new BytesWriter(content.value().length() + 32);
    int known = KNOWN.indexOf(content.contentType());
    if (known > 0) {
      out.u8(known);
    } else {
      out.u8(0).text(content.contentType());
    }
    out.varint(content.metadata().size());
    if (!content.metadata().isEmpty()) {
      new TreeMap<>(content.metadata()).forEach((name, value) -> out.text(name).text(value));
    }
    return out.raw(content.value()).toBytes();
  }

  static Content decode(Bytes body) {
    if (body.isEmpty()) {
      return NOTHING;
    }
    BytesReader in = new BytesReader(body);
    int known = in.u8();
    String type = known == 0 ? in.text() : KNOWN.get(known);
    int count = in.count();
    Map<String, String> metadata = count == 0 ? Map.of() : new HashMap<>();
    for (int i = 0; i < count; i++) {
      metadata.put(in.text(), in.text());
    }
    return new Content(in.rest(), type, metadata);
  }

  /** The content without its value. */
  static Content describe(Content content) {
    return new Content(Bytes.EMPTY, content.contentType(), content.metadata());
  }

  static Entry entry(Version version, boolean values) {
    Content content = decode(version.body());
    return new Entry(
        SpaceRows.key(version.entry()),
        version.revision(),
        version.timestamp(),
        version.author(),
        values ? content : describe(content),
        version.size(),
        version.deleted());
  }
}
