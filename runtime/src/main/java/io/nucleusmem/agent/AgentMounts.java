package io.nucleusmem.agent;

import io.nucleusmem.agent.AgentProtocol.Held;
import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.memspace.MountInfo;
import io.nucleusmem.memspace.Principal;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Acquires and releases the mounts of agents, several as one. */
final class AgentMounts {
  private final MemSpaces spaces;

  AgentMounts(MemSpaces spaces) {
    this.spaces = spaces;
  }

  /** Held from now on, and what of it was acquired for that. */
  record Change(List<Held> held, List<Held> acquired) {}

  /** From a set of mounts to another: what is held already in the same form is kept. */
  CompletionStage<Change> change(
      Principal principal, String agent, List<Held> held, List<AgentMount> wanted) {
    List<Held> keep = held.stream().filter(each -> wanted.contains(each.mount())).toList();
    List<AgentMount> kept = keep.stream().map(Held::mount).toList();
    List<AgentMount> missing = wanted.stream().filter(mount -> !kept.contains(mount)).toList();
    return acquire(principal, agent, missing)
        .thenApply(
            acquired -> {
              List<Held> all = new ArrayList<>(keep);
              all.addAll(acquired);
              return new Change(all, acquired);
            });
  }

  /** Acquires all, or none: what was acquired before a failure is released again. */
  private CompletionStage<List<Held>> acquire(
      Principal principal, String agent, List<AgentMount> wanted) {
    List<Held> held = new ArrayList<>();
    CompletionStage<Void> all = CompletableFuture.completedFuture(null);
    for (AgentMount mount : wanted) {
      all =
          all.thenCompose(
              done ->
                  spaces
                      .mount(principal, mount.space(), mount.requestFor(AgentSpec.holder(agent)))
                      .thenAccept(mounted -> held.add(new Held(mount, mounted.mount().id()))));
    }
    return all.handle((done, failure) -> failure)
        .thenCompose(
            failure -> {
              if (failure == null) {
                return CompletableFuture.completedFuture(held);
              }
              return release(principal, held)
                  .thenCompose(done -> CompletableFuture.failedFuture(failure));
            });
  }

  /** Releases mounts; those that are gone already do no harm. */
  CompletionStage<Void> release(Principal principal, List<Held> mounts) {
    List<CompletableFuture<Void>> all =
        mounts.stream()
            .map(
                held ->
                    spaces
                        .unmount(principal, held.mountId())
                        .exceptionally(gone -> null)
                        .toCompletableFuture())
            .toList();
    return CompletableFuture.allOf(all.toArray(CompletableFuture[]::new));
  }

  /** Releases what an earlier life of the agent has acquired in these spaces and not recorded. */
  CompletionStage<Void> releaseStrays(
      Principal principal, String agent, List<AgentMount> mounts, List<Held> recorded) {
    CompletionStage<Void> all = CompletableFuture.completedFuture(null);
    for (AgentMount mount : mounts) {
      all =
          all.thenCompose(
              done ->
                  spaces
                      .mounts(principal, mount.space())
                      .thenCompose(there -> releaseStrays(principal, agent, there, mount, recorded))
                      .exceptionally(gone -> null));
    }
    return all;
  }

  private CompletionStage<Void> releaseStrays(
      Principal principal,
      String agent,
      List<MountInfo> there,
      AgentMount mount,
      List<Held> recorded) {
    List<Held> strays =
        there.stream()
            .filter(info -> info.holder().equals(AgentSpec.holder(agent)))
            .filter(info -> recorded.stream().noneMatch(held -> held.mountId().equals(info.id())))
            .map(info -> new Held(mount, info.id()))
            .toList();
    return release(principal, strays);
  }
}
