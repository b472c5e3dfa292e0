package io.nucleusmem.store.tikv.server;

import org.tikv.kvproto.Errorpb;

/** A request refused because of where its keys lie. */
final class RegionFailure extends Exception {
  private static final long serialVersionUID = 1;

  private final transient Errorpb.Error error;

  RegionFailure(Errorpb.Error error) {
    super(error.getMessage(), null, false, false);
    this.error = error;
  }

  Errorpb.Error error() {
    return error;
  }
}
