package io.nucleusmem.receipts;

import io.nucleusmem.memspace.Paged;
import io.nucleusmem.memspace.SubscriptionInfo;
import io.nucleusmem.memspace.TopicInfo;
import java.util.List;
import java.util.Optional;

/**
 * What a space tells of topics and subscriptions, as JSON in a record: nothing of their content.
 */
final class Facts {
  private Facts() {}

  /** A page of topics; {@code next} may be null. */
  record Topics(List<TopicInfo> items, long revision, String next) {
    static Topics of(Paged<TopicInfo> page) {
      return new Topics(page.items(), page.revision(), page.next().orElse(null));
    }

    Paged<TopicInfo> page() {
      return new Paged<>(items, revision, Optional.ofNullable(next));
    }
  }

  record Subscriptions(List<SubscriptionInfo> items) {}
}
