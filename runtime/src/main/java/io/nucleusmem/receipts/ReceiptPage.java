package io.nucleusmem.receipts;

import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.receipts.ReceiptKeys.Place;
import java.util.HexFormat;

/**
 * Where a page of receipts goes on.
 *
 * @param place of the round of the last receipt
 * @param taken receipts of that round that were given
 */
record ReceiptPage(Place place, int taken) {
  private static final String FORM = "[0-9a-f]{16}-[0-9a-f]{16}-[0-9a-f]{16}-[0-9a-f]{8}";

  String encode() {
    HexFormat hex = HexFormat.of();
    return String.join(
        "-",
        hex.toHexDigits(place.timestamp()),
        hex.toHexDigits(place.node()),
        hex.toHexDigits(place.round()),
        hex.toHexDigits(taken));
  }

  static ReceiptPage decode(String cursor) {
    if (!cursor.matches(FORM)) {
      throw MemSpaceException.invalid("cursor", cursor, "the next of a page of receipts");
    }
    String[] parts = cursor.split("-");
    return new ReceiptPage(
        new Place(
            HexFormat.fromHexDigitsToLong(parts[0]),
            HexFormat.fromHexDigitsToLong(parts[1]),
            HexFormat.fromHexDigitsToLong(parts[2])),
        HexFormat.fromHexDigits(parts[3]));
  }
}
