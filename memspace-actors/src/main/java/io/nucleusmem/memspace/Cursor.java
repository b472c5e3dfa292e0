package io.nucleusmem.memspace;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import java.util.Base64;

/**
 * Where the next page begins: opaque to callers, and only good for the listing that gave it.
 *
 * @param scope of the listing: another one's cursor is refused
 * @param revision that the first page was read at
 * @param at place in the listing
 */
record Cursor(String scope, long revision, Bytes at) {
  String encode() {
    Bytes bytes = new BytesWriter(64).text(scope).varint(revision).raw(at).toBytes();
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes.shared());
  }

  static Cursor decode(String cursor, String scope) {
    try {
      BytesReader in = new BytesReader(Bytes.wrap(Base64.getUrlDecoder().decode(cursor)));
      Cursor decoded = new Cursor(in.text(), in.varint(), in.rest());
      if (decoded.scope().equals(scope)) {
        return decoded;
      }
    } catch (IllegalArgumentException e) {
      // refused below
    }
    throw MemSpaceException.invalid(
        "cursor", cursor, "the [next] of the page before, of the same listing");
  }
}
