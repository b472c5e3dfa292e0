package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;

/**
 * One version of an entry, as read.
 *
 * <p>As stored under its key: {@code flags(1: 1=deleted 2=directed) timestamp(8) author(text)
 * size(varint) [to(text)] body}.
 *
 * @param revision from its key
 * @param body what the entry holds; empty for a deletion
 * @param to whom a message is directed; null for everybody
 */
public record Version(
    EntryRef entry,
    long revision,
    long timestamp,
    String author,
    boolean deleted,
    Bytes body,
    int size,
    String to) {

  /** The version that a change makes. */
  public static Version of(Change.OfEntry change, long revision, long timestamp, String author) {
    Bytes body = change.body() == null ? Bytes.EMPTY : change.body();
    return new Version(
        change.entry(),
        revision,
        timestamp,
        author,
        change.deleted(),
        body,
        change.size(),
        change.to());
  }

  /** The same version with another body. */
  public Version withBody(Bytes other) {
    return new Version(entry, revision, timestamp, author, deleted, other, size, to);
  }

  /** The row's value. */
  public Bytes encode() {
    BytesWriter out = new BytesWriter(24 + author.length() + body.length());
    out.u8((deleted ? 1 : 0) | (to == null ? 0 : 2)).i64(timestamp).text(author).varint(size);
    if (to != null) {
      out.text(to);
    }
    return out.raw(body).toBytes();
  }

  /** The version of a row. */
  public static Version decode(EntryRef entry, long revision, Bytes value) {
    BytesReader in = new BytesReader(value);
    int flags = in.u8();
    long timestamp = in.i64();
    String author = in.text();
    int size = (int) in.varint();
    String to = (flags & 2) != 0 ? in.text() : null;
    return new Version(entry, revision, timestamp, author, (flags & 1) != 0, in.rest(), size, to);
  }
}
