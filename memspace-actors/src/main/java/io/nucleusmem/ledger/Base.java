package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.KvStore;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * What a ledger stands on: the ledgers that it shows through, nearest first. It never changes, and
 * the whole chain is in one row, so that a read asks once.
 *
 * <p>A ledger that stands on another goes on with its revisions: what is at or below {@link
 * #revision()} is the base's. So (key, revision) names one version, wherever it is read from.
 *
 * <p>As stored: {@code format(1)=1 count(varint) (id(16) revision(varint))*}.
 */
public record Base(List<Layer> layers) {
  /** Most ledgers below one. */
  public static final int LAYERS_MAX = 16;

  /** A ledger that stands on nothing. */
  public static final Base NONE = new Base(List.of());

  private static final int FORMAT = 1;

  /**
   * A ledger below.
   *
   * @param revision the newest one that shows through; lower than those of the layers above
   */
  public record Layer(LedgerId id, long revision) {}

  public Base {
    layers = List.copyOf(layers);
    if (layers.size() > LAYERS_MAX) {
      throw new IllegalArgumentException(
          "a ledger would stand on [%d] others; at most [%d]".formatted(layers.size(), LAYERS_MAX));
    }
  }

  /** True if there is none. */
  public boolean isNone() {
    return layers.isEmpty();
  }

  /** The newest revision that is not the ledger's own; 0 if it stands on nothing. */
  public long revision() {
    return layers.isEmpty() ? 0 : layers.get(0).revision();
  }

  /** What a ledger stands on that is made of one, at a revision. */
  public static Base of(LedgerId id, long revision, Base its) {
    List<Layer> layers = new ArrayList<>(its.layers().size() + 1);
    layers.add(new Layer(id, revision));
    layers.addAll(its.layers());
    return new Base(layers);
  }

  /** Reads what a ledger stands on, from its row. */
  public static CompletionStage<Base> find(KvStore store, LedgerId id) {
    // written with the ledger's creation on every engine, so the tail of the log is not needed
    return store
        .get(LedgerKeys.state(id, StateKey.BASE))
        .thenApply(row -> row.map(Base::decode).orElse(NONE));
  }

  /** A reader of what is below; there must be something. */
  ForkReader reader(KvStore store) {
    return new ForkReader(store, layers.get(0).id(), new Base(layers.subList(1, layers.size())));
  }

  Bytes encode() {
    BytesWriter out = new BytesWriter(2 + layers.size() * 24).u8(FORMAT).varint(layers.size());
    layers.forEach(layer -> out.raw(layer.id().bytes()).varint(layer.revision()));
    return out.toBytes();
  }

  static Base decode(Bytes row) {
    BytesReader in = new BytesReader(row);
    int format = in.u8();
    if (format != FORMAT) {
      throw new IllegalStateException(
          "row of a ledger's base has format [%d]; this version reads [%d]"
              .formatted(format, FORMAT));
    }
    int count = in.count();
    List<Layer> layers = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      LedgerId id = new LedgerId(in.raw(LedgerId.LENGTH));
      layers.add(new Layer(id, in.varint()));
    }
    return new Base(layers);
  }
}
