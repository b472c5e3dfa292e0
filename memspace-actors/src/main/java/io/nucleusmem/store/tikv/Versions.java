package io.nucleusmem.store.tikv;

import io.nucleusmem.store.StoreException;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tikv.kvproto.Metapb.Store;
import org.tikv.kvproto.Metapb.StoreState;
import org.tikv.kvproto.PDGrpc;
import org.tikv.kvproto.Pdpb.GetAllStoresRequest;
import org.tikv.kvproto.Pdpb.GetAllStoresResponse;

/**
 * Whether the stores of a cluster know what we ask of them. A request's field that a store does not
 * know is ignored: before 6.0 that is so of the assertion by which a commit {@code require}s a row,
 * and commits that must be refused would be made.
 */
final class Versions {
  private static final int MAJOR_MIN = 6;
  private static final Pattern VERSION = Pattern.compile("v?(\\d{1,6})\\.\\d+\\.\\d+.*");

  private Versions() {}

  /** Asks PD. Blocks; fails with the first store that is too old. */
  static void check(Pd pd, Deadline deadline) {
    List<Store> stores = stores(pd, deadline);
    if (stores.isEmpty()) {
      throw new StoreException("PD at [%s] knows no TiKV store".formatted(pd.leader()));
    }
    for (Store store : stores) {
      Matcher version = VERSION.matcher(store.getVersion());
      if (!version.matches() || Integer.parseInt(version.group(1)) < MAJOR_MIN) {
        throw new StoreException(
            "the store at [%s] of the cluster of PD at [%s] has version [%s]; TiKV %d.0.0 or later is needed"
                .formatted(store.getAddress(), pd.leader(), store.getVersion(), MAJOR_MIN));
      }
    }
  }

  private static List<Store> stores(Pd pd, Deadline deadline) {
    try {
      return pd
          .call(
              PDGrpc.getGetAllStoresMethod(),
              header ->
                  GetAllStoresRequest.newBuilder()
                      .setHeader(header)
                      .setExcludeTombstoneStores(true)
                      .build(),
              GetAllStoresResponse::getHeader,
              deadline)
          .join()
          .getStoresList()
          .stream()
          .filter(store -> store.getState() != StoreState.Tombstone && !isTiFlash(store))
          .toList();
    } catch (CompletionException e) {
      throw new StoreException(
          "the cluster's stores are not known: " + Rpc.cause(e).getMessage(), Rpc.cause(e));
    }
  }

  /** Replicas in columns, which are asked by nobody but a TiDB. */
  private static boolean isTiFlash(Store store) {
    return store.getLabelsList().stream()
        .anyMatch(label -> label.getKey().equals("engine") && label.getValue().equals("tiflash"));
  }
}
