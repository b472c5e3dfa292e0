package io.nucleusmem.agent;

import io.nucleusmem.memspace.MemSpaces;
import io.nucleusmem.receipts.ReceiptLog;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;

/**
 * What the agents of one node share.
 *
 * @param blocking where blocking calls run
 * @param blockingCalls permits for those under way and waiting
 * @param receipts what the agents get is written down there
 */
record AgentNode(
    MemSpaces spaces,
    AgentSettings settings,
    String address,
    Map<String, AgentType<?>> types,
    AgentMounts mounts,
    Inboxes inboxes,
    AgentDirectory directory,
    Executor blocking,
    Semaphore blockingCalls,
    Optional<RouterHook> router,
    ReceiptLog receipts) {

  static Map<String, AgentType<?>> types(Iterable<AgentType<?>> all) {
    Map<String, AgentType<?>> types = new ConcurrentHashMap<>();
    for (AgentType<?> type : all) {
      if (types.putIfAbsent(type.name(), type) != null) {
        throw new IllegalArgumentException("agent type [%s] is given twice".formatted(type.name()));
      }
    }
    return types;
  }
}
