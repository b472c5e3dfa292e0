package io.nucleusmem.agent;

import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Published;
import java.util.concurrent.CompletionStage;

/** Where {@link AgentContext#route} sends: a semantic router that users plug in. */
@FunctionalInterface
public interface RouterHook {
  /** Routes a message that an agent sends. */
  CompletionStage<Published> route(String sender, Content content);
}
