package io.nucleusmem.http;

import com.github.benmanes.caffeine.cache.Cache;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * Stages by key, in a bounded cache: who comes while one is under way shares it, and one that fails
 * is not kept. Not Caffeine's own asynchronous cache, which logs each failure, and here a failure
 * is an answer.
 */
final class Shared<K, V> {
  private final Cache<K, CompletableFuture<V>> cache;

  Shared(Cache<K, CompletableFuture<V>> cache) {
    this.cache = cache;
  }

  /** What is there, also if it is still under way; null if nothing is. */
  CompletableFuture<V> getIfPresent(K key) {
    return cache.getIfPresent(key);
  }

  /** What is there, or what is begun now. */
  CompletableFuture<V> get(K key, Supplier<CompletionStage<V>> begin) {
    CompletableFuture<V> there = cache.getIfPresent(key);
    if (there != null) {
      return there;
    }
    CompletableFuture<V> mine = new CompletableFuture<>();
    CompletableFuture<V> first = cache.asMap().putIfAbsent(key, mine);
    if (first != null) {
      return first;
    }
    CompletionStage<V> begun;
    try {
      begun = begin.get();
    } catch (RuntimeException e) {
      begun = CompletableFuture.failedStage(e);
    }
    begun.whenComplete(
        (value, failure) -> {
          if (failure == null) {
            mine.complete(value);
          } else {
            cache.asMap().remove(key, mine);
            mine.completeExceptionally(failure);
          }
        });
    return mine;
  }

  /** Forgets a stage, unless another one has taken its place. */
  void remove(K key, CompletableFuture<V> stage) {
    cache.asMap().remove(key, stage);
  }

  void clear() {
    cache.invalidateAll();
  }
}
