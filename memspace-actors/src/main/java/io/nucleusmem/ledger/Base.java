package io.nucleusmem.ledger;

import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import io.nucleusmem.store.KvStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * What a ledger stands on: the ledgers that it shows through, nearest first. It changes at most
 * once, when the ledger gets copies of its own of what it shows (see {@link LedgerPast}), and then
 * says the same as before; so an old one may be used as long as those below are there.
 *
 * <p>A ledger that stands on another goes on with its revisions: what is at or below {@link
 * #revision()} is the base's. So (key, revision) names one version, wherever it is read from.
 *
 * <p>As stored: {@code format(1)=2 count(varint) layer*}, a layer being {@code id(16)
 * revision(varint) copies(varint) (id(16) revision(varint))*}; or format 1, without copies. Of the
 * row, the ledger's own copies count and the first layer behind them: what that one stands on is in
 * its own row, which may have changed since.
 */
public record Base(List<Layer> layers) {
  /** Most ledgers below one. */
  public static final int LAYERS_MAX = 16;

  /** Most ledgers that a copy remembers to be of, nearest first. */
  public static final int COPIES_MAX = 64;

  /** A ledger that stands on nothing. */
  public static final Base NONE = new Base(List.of());

  private static final int FORMAT_BARE = 1;
  private static final int FORMAT = 2;

  /**
   * A ledger below.
   *
   * @param revision the newest one that shows through; at most those of the layers above
   * @param copyOf the layers that it was copied from, nearest first; empty for a ledger that has an
   *     owner
   */
  public record Layer(LedgerId id, long revision, List<Layer> copyOf) {
    public Layer {
      copyOf = List.copyOf(copyOf.subList(0, Math.min(copyOf.size(), COPIES_MAX)));
    }

    Layer(LedgerId id, long revision) {
      this(id, revision, List.of());
    }

    /** True for a copy of what others below had: it has no owner and does not change. */
    public boolean isCopy() {
      return !copyOf.isEmpty();
    }

    /** The layers whose versions these are. */
    List<Layer> origins() {
      return isCopy() ? copyOf : List.of(this);
    }
  }

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

  /** True if all of it is copies: nobody else's ledger is needed. */
  public boolean isOwn() {
    return layers.stream().allMatch(Layer::isCopy);
  }

  /** Whose versions are below, nearest first: copies count as what they are copies of. */
  public List<Layer> origins() {
    return layers.stream().flatMap(layer -> layer.origins().stream()).toList();
  }

  /** What a ledger stands on that is made of one, at a revision. */
  public static Base of(LedgerId id, long revision, Base its) {
    List<Layer> layers = new ArrayList<>(its.layers().size() + 1);
    layers.add(new Layer(id, revision));
    layers.addAll(its.layers());
    return new Base(layers);
  }

  /** Reads what a ledger stands on: its row, and those of the ledgers below. */
  public static CompletionStage<Base> find(KvStore store, LedgerId id) {
    return find(store, id, new ArrayList<>());
  }

  private static CompletionStage<Base> find(KvStore store, LedgerId id, List<Layer> above) {
    return row(store, id)
        .thenCompose(
            row -> {
              for (Layer layer : row.layers()) {
                above.add(layer);
                if (!layer.isCopy()) {
                  return find(store, layer.id(), above);
                }
              }
              return CompletableFuture.completedStage(above.isEmpty() ? NONE : new Base(above));
            });
  }

  /**
   * The row alone. It is written with the ledger's creation on every engine, and one that replaces
   * it says the same; so the tail of the log is not needed.
   */
  static CompletionStage<Base> row(KvStore store, LedgerId id) {
    return store.get(key(id)).thenApply(row -> row.map(Base::decode).orElse(NONE));
  }

  /** What a ledger stands on, where a command is decided; as in its row. */
  public static Base of(PendingView view) {
    return view.state(StateKey.BASE).map(Base::decode).orElse(NONE);
  }

  /** The change that makes a ledger stand on this. */
  public Change change() {
    return new Change.OfState(StateKey.BASE, encode());
  }

  /** The key of a ledger's row. */
  public static Bytes key(LedgerId id) {
    return LedgerKeys.state(id, StateKey.BASE);
  }

  /** The row. */
  public Bytes encode() {
    BytesWriter out = new BytesWriter(2 + layers.size() * 26).u8(FORMAT).varint(layers.size());
    for (Layer layer : layers) {
      out.raw(layer.id().bytes()).varint(layer.revision()).varint(layer.copyOf().size());
      layer.copyOf().forEach(each -> out.raw(each.id().bytes()).varint(each.revision()));
    }
    return out.toBytes();
  }

  /** What a row says. */
  public static Base decode(Bytes row) {
    BytesReader in = new BytesReader(row);
    int format = in.u8();
    if (format != FORMAT && format != FORMAT_BARE) {
      throw new IllegalStateException(
          "row of a ledger's base has format [%d]; this version reads [%d] and [%d]"
              .formatted(format, FORMAT_BARE, FORMAT));
    }
    int count = in.count();
    List<Layer> layers = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      Layer layer = layer(in);
      int copies = format == FORMAT ? in.count() : 0;
      List<Layer> copyOf = new ArrayList<>(copies);
      for (int each = 0; each < copies; each++) {
        copyOf.add(layer(in));
      }
      layers.add(new Layer(layer.id(), layer.revision(), copyOf));
    }
    return new Base(layers);
  }

  private static Layer layer(BytesReader in) {
    LedgerId id = new LedgerId(in.raw(LedgerId.LENGTH));
    return new Layer(id, in.varint());
  }

  /** The layer whose versions a ledger's are, if it is among those below. */
  public Optional<Layer> origin(LedgerId id) {
    return origins().stream().filter(layer -> layer.id().equals(id)).findFirst();
  }
}
