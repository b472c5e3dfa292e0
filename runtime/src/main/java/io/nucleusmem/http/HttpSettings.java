package io.nucleusmem.http;

import com.typesafe.config.Config;
import io.nucleusmem.memspace.Principal;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The block {@code nucleusmem.http}, checked.
 *
 * @param port 0: any that is free
 * @param tokens who may call; empty: everybody, and then on loopback only
 * @param bodyBytesMax largest entry or message: {@code nucleusmem.memspace.value-bytes-max}
 * @param jsonBytesMax largest JSON document
 * @param drainBytesMax how much of a body that is too large is read, so that its 413 arrives
 * @param connectionsMax connections at a time
 * @param streamsMax event streams at a time; one more is refused as busy
 * @param requestTimeout longest time until an answer begins; longer than {@code pullWaitMax}
 * @param pullWaitMax longest {@code wait_ms} of a pull
 * @param progressInterval silence on an event stream after which its progress is told
 * @param mountsCachedMax opened mounts that are kept
 * @param mountCacheTtl how long the answer to "the caller's only mount" is kept
 * @param replaysMax answers kept for repeated requests on what has no ledger of its own
 * @param replayWindow how long they are
 * @param drainTimeout how long a stopping node waits for requests under way
 */
public record HttpSettings(
    String host,
    int port,
    List<Token> tokens,
    int bodyBytesMax,
    int jsonBytesMax,
    long drainBytesMax,
    int connectionsMax,
    int streamsMax,
    Duration requestTimeout,
    Duration pullWaitMax,
    Duration progressInterval,
    int mountsCachedMax,
    Duration mountCacheTtl,
    int replaysMax,
    Duration replayWindow,
    Duration drainTimeout) {
  private static final String PATH = "nucleusmem.http";
  private static final int TOKEN_CHARS_MIN = 16;
  private static final int PORT_MAX = 65_535;
  private static final Duration PULL_WAIT_MAX = Duration.ofSeconds(60);
  private static final Duration PROGRESS_MAX = Duration.ofMillis(7_500);

  /**
   * A secret and whom it stands for.
   *
   * @param token at least 16 characters
   */
  public record Token(String token, Principal principal) {
    @Override
    public String toString() {
      return "Token[principal=" + principal + "]"; // never the secret, in no log
    }
  }

  public HttpSettings {
    tokens = List.copyOf(tokens);
    within("port", port, 0, PORT_MAX);
    within("json-bytes-max", jsonBytesMax, 1_024, 64 << 20);
    within("drain-bytes-max", drainBytesMax, Math.max(jsonBytesMax, bodyBytesMax), Long.MAX_VALUE);
    within("connections-max", connectionsMax, 1, 1_000_000);
    within("streams-max", streamsMax, 1, 1_000_000);
    within("mounts-cached-max", mountsCachedMax, 1, 10_000_000);
    within("replays-max", replaysMax, 1, 1_000_000);
    positive("request-timeout", requestTimeout);
    positive("mount-cache-ttl", mountCacheTtl);
    positive("replay-window", replayWindow);
    positive("drain-timeout", drainTimeout);
    if (pullWaitMax.isNegative() || pullWaitMax.compareTo(PULL_WAIT_MAX) > 0) {
      throw bad("pull-wait-max", pullWaitMax, "0s to 60s");
    }
    if (requestTimeout.compareTo(pullWaitMax.plusSeconds(5)) < 0) {
      throw bad("request-timeout", requestTimeout, "at least 5s more than pull-wait-max");
    }
    if (progressInterval.isNegative()
        || progressInterval.isZero()
        || progressInterval.compareTo(PROGRESS_MAX) > 0) {
      throw bad("progress-interval", progressInterval, "1ms to 7500ms");
    }
    if (tokens.isEmpty() && !isLoopback(host)) {
      throw new IllegalArgumentException(
          "%s.host is [%s] and %s.tokens is empty: without tokens everybody is an administrator, so the node listens on loopback only; configure tokens, or set the host to 127.0.0.1"
              .formatted(PATH, host, PATH));
    }
  }

  /**
   * Reads the block.
   *
   * @throws IllegalArgumentException names the key, what it is and what it may be
   */
  public static HttpSettings from(Config config) {
    Config http = config.getConfig(PATH);
    return new HttpSettings(
        http.getString("host"),
        http.getInt("port"),
        tokensOf(http),
        Math.toIntExact(config.getBytes("nucleusmem.memspace.value-bytes-max")),
        Math.toIntExact(http.getBytes("json-bytes-max")),
        http.getBytes("drain-bytes-max"),
        http.getInt("connections-max"),
        http.getInt("streams-max"),
        http.getDuration("request-timeout"),
        http.getDuration("pull-wait-max"),
        http.getDuration("progress-interval"),
        http.getInt("mounts-cached-max"),
        http.getDuration("mount-cache-ttl"),
        http.getInt("replays-max"),
        http.getDuration("replay-window"),
        http.getDuration("drain-timeout"));
  }

  /** True if only this machine can call. */
  public boolean loopbackOnly() {
    return isLoopback(host);
  }

  private static List<Token> tokensOf(Config http) {
    List<Token> tokens =
        http.getConfigList("tokens").stream()
            .map(
                token -> {
                  for (String key : token.root().keySet()) {
                    if (!Set.of("token", "principal", "role").contains(key)) {
                      throw bad("tokens", key, "objects of token, principal and role");
                    }
                  }
                  return tokenOf(token);
                })
            .toList();
    Set<String> secrets = new HashSet<>();
    for (Token token : tokens) {
      if (!secrets.add(token.token())) {
        throw bad(
            "tokens",
            "the same token twice (the second for " + token.principal().name() + ")",
            "one principal per token");
      }
    }
    return tokens;
  }

  private static Token tokenOf(Config token) {
    String principal = token.getString("principal");
    String secret = token.getString("token");
    if (principal.isEmpty() || principal.length() > 128) {
      throw bad("tokens.principal", principal, "1 to 128 characters");
    }
    if (Principal.RESERVED.contains(principal)) {
      throw bad(
          "tokens.principal",
          principal,
          "a name other than the node's own: "
              + String.join(", ", new TreeSet<>(Principal.RESERVED)));
    }
    if (secret.length() < TOKEN_CHARS_MIN) {
      throw bad(
          "tokens.token",
          "%d characters for principal %s".formatted(secret.length(), principal),
          "at least %d characters".formatted(TOKEN_CHARS_MIN));
    }
    boolean admin =
        switch (token.getString("role")) {
          case "admin" -> true;
          case "agent" -> false;
          default -> throw bad("tokens.role", token.getString("role"), "admin or agent");
        };
    return new Token(secret, new Principal(principal, admin));
  }

  private static boolean isLoopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(
          "%s.host is [%s]; it must be a name or address of this machine".formatted(PATH, host), e);
    }
  }

  private static void within(String key, long found, long min, long max) {
    if (found < min || found > max) {
      throw bad(key, found, min + " to " + max);
    }
  }

  private static void positive(String key, Duration found) {
    if (found.isNegative() || found.isZero()) {
      throw bad(key, found, "longer than 0s");
    }
  }

  private static IllegalArgumentException bad(String key, Object found, String accepted) {
    return new IllegalArgumentException(
        "%s.%s is [%s]; it must be %s".formatted(PATH, key, found, accepted));
  }
}
