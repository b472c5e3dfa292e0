package io.nucleusmem.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.nucleusmem.agent.AgentAt;
import io.nucleusmem.memspace.MountAt;
import io.nucleusmem.memspace.SpaceAt;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What there was at an instant, as JSON. */
final class AsOfJson {
  private AsOfJson() {}

  /**
   * A space. What is absent is not known any more.
   *
   * @param content {@code present}, {@code compacted} or {@code space_deleted}: whether its entries
   *     of then can be read
   * @param oldestRevision that can be read, where the content is compacted
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record SpaceAtJson(
      String name,
      String kind,
      String owner,
      Map<String, String> labels,
      String state,
      Long revision,
      Instant createdAt,
      SpaceRoutes.RetentionJson retention,
      SpaceRoutes.BaseJson base,
      String content,
      Long oldestRevision) {
    static SpaceAtJson of(SpaceAt space) {
      SpaceRoutes.SpaceJson info = space.info().map(SpaceRoutes.SpaceJson::of).orElse(null);
      boolean compacted = space.content() == SpaceAt.Content.COMPACTED;
      boolean deleted = space.content() == SpaceAt.Content.SPACE_DELETED;
      return new SpaceAtJson(
          space.name(),
          info == null ? null : info.kind(),
          info == null ? null : info.owner(),
          info == null ? null : info.labels(),
          info == null ? null : info.state(),
          info == null || deleted ? null : info.revision(),
          info == null ? null : info.createdAt(),
          info == null ? null : info.retention(),
          info == null ? null : info.base(),
          space.content().name().toLowerCase(Locale.ROOT),
          compacted ? space.oldestRevision() : null);
    }
  }

  /** A space whose mounts of then are not known any more. */
  record UnknownMountsJson(String space, String content, long oldestRevision) {}

  static Object mount(MountAt mount) {
    return mount
        .mount()
        .<Object>map(MountRoutes.MountJson::of)
        .orElseGet(() -> new UnknownMountsJson(mount.space(), "compacted", mount.oldestRevision()));
  }

  /**
   * An agent.
   *
   * @param node where it had begun to run last; absent if it had not
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record AgentAtJson(
      String id,
      String type,
      String owner,
      String state,
      String node,
      List<MountRoutes.MountJson> mounts,
      Map<String, String> config) {
    static AgentAtJson of(AgentAt agent) {
      return new AgentAtJson(
          agent.id(),
          agent.type(),
          agent.owner(),
          agent.state().name().toLowerCase(Locale.ROOT),
          agent.node().orElse(null),
          agent.mounts().stream().map(MountRoutes.MountJson::of).toList(),
          agent.config());
    }
  }
}
