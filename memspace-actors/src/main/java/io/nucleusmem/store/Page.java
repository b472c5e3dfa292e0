package io.nucleusmem.store;

import java.util.List;
import java.util.Optional;

/**
 * One page of a scan.
 *
 * @param rows in the order of the scan; may be empty although there is more (a floor scan that met
 *     only keys without a version)
 * @param rest what is left to scan; empty when the range is exhausted. After a page of one row
 *     there may be a rest without rows: to know would cost another look
 */
public record Page(List<Row> rows, Optional<KeyRange> rest) {
  public Page {
    rows = List.copyOf(rows);
  }
}
