package io.nucleusmem.store.tikv.server;

import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * A record of TiKV's write column: what one transaction did to one key, or that it was rolled back.
 *
 * @param protectedRollback a rollback that a later one must not replace
 * @param overlappedRollback a commit whose timestamp is also the start of a rolled back transaction
 */
record Write(
    Type type,
    long startTs,
    ByteString value,
    boolean protectedRollback,
    boolean overlappedRollback) {
  enum Type {
    PUT,
    DELETE,
    LOCK,
    ROLLBACK
  }

  static Write committed(Lock lock) {
    Type type =
        switch (lock.type()) {
          case Put -> Type.PUT;
          case Del -> Type.DELETE;
          case Lock -> Type.LOCK;
          default -> throw new IllegalStateException("lock of type " + lock.type());
        };
    return new Write(type, lock.startTs(), lock.value(), false, false);
  }

  static Write rollback(long startTs, boolean isProtected) {
    return new Write(Type.ROLLBACK, startTs, ByteString.EMPTY, isProtected, false);
  }

  Write withOverlappedRollback() {
    return new Write(type, startTs, value, protectedRollback, true);
  }

  boolean isData() {
    return type == Type.PUT || type == Type.DELETE;
  }
}
