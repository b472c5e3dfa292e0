package io.nucleusmem.store.tikv;

import com.typesafe.config.Config;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What an operator may set of a TiKV cluster; see {@code reference.conf} for each key.
 *
 * @param pdEndpoints {@code host:port} of PD's members; one that answers is enough
 * @param keyPrefix in front of every key, so that nothing else in the cluster is touched; 1 to 64
 *     characters of US-ASCII
 * @param connectTimeout for the first answer of PD; 100 ms to 5 min
 * @param requestTimeout of one request; 50 ms to 1 min
 * @param operationTimeout of a whole call with all its retries; at least the request's, to 5 min
 * @param inFlightMax requests under way to one TiKV store; one more fails as busy; 1 to 100,000
 * @param tls empty: not encrypted
 * @param gc how the garbage collection's safe point is moved
 */
public record TikvSettings(
    List<String> pdEndpoints,
    String keyPrefix,
    Duration connectTimeout,
    Duration requestTimeout,
    Duration operationTimeout,
    int inFlightMax,
    Optional<Tls> tls,
    Gc gc) {

  private static final String PATH = "nucleusmem.store.tikv";

  /**
   * Who moves the safe point, and how.
   *
   * @param enabled false: somebody else does
   * @param keep age of what is let go of; more than the longest call, 1 min to 30 days
   * @param interval between two moves; 1 s to 1 day
   * @param observe how long a safe point that somebody moved has to stand still first; 1 s to 1 day
   */
  public record Gc(boolean enabled, Duration keep, Duration interval, Duration observe) {
    static final Gc DEFAULT =
        new Gc(true, Duration.ofMinutes(10), Duration.ofMinutes(1), Duration.ofMinutes(30));

    public Gc {
      check("gc.keep", keep, Duration.ofMinutes(1), Duration.ofDays(30));
      check("gc.interval", interval, Duration.ofSeconds(1), Duration.ofDays(1));
      check("gc.observe", observe, Duration.ofSeconds(1), Duration.ofDays(1));
    }
  }

  /**
   * Files in PEM.
   *
   * @param ca whom to trust
   * @param certificate ours; null where the cluster does not ask for one
   * @param key of our certificate; null exactly if that is
   */
  public record Tls(Path ca, Path certificate, Path key) {
    public Tls {
      readable("tls.ca", ca);
      if ((certificate == null) != (key == null)) {
        throw new IllegalArgumentException(
            "%s.tls has %s; certificate and key are needed together"
                .formatted(PATH, certificate == null ? "a key only" : "a certificate only"));
      }
      if (certificate != null) {
        readable("tls.certificate", certificate);
        readable("tls.key", key);
      }
    }

    private static void readable(String key, Path file) {
      if (!Files.isReadable(file)) {
        throw new IllegalArgumentException(
            "%s.%s is [%s], which can't be read; it must name a file in PEM"
                .formatted(PATH, key, file));
      }
    }
  }

  public TikvSettings {
    pdEndpoints = List.copyOf(pdEndpoints);
    if (pdEndpoints.isEmpty()
        || pdEndpoints.stream().anyMatch(each -> !each.matches("[^\\s:/]+:\\d{1,5}"))) {
      throw new IllegalArgumentException(
          "%s.pd-endpoints is %s; it must be a list of host:port, such as [\"10.0.0.1:2379\"]"
              .formatted(PATH, pdEndpoints));
    }
    if (!keyPrefix.matches("\\p{Graph}{1,64}")) {
      throw new IllegalArgumentException(
          "%s.key-prefix is [%s]; it must have 1 to 64 printable characters of US-ASCII"
              .formatted(PATH, keyPrefix));
    }
    check("connect-timeout", connectTimeout, Duration.ofMillis(100), Duration.ofMinutes(5));
    check("request-timeout", requestTimeout, Duration.ofMillis(50), Duration.ofMinutes(1));
    check("operation-timeout", operationTimeout, requestTimeout, Duration.ofMinutes(5));
    if (gc.keep().compareTo(operationTimeout) <= 0) {
      throw new IllegalArgumentException(
          "%s.gc.keep is [%s]; it must be longer than operation-timeout, which is [%s], so that nothing reads below the safe point"
              .formatted(PATH, gc.keep(), operationTimeout));
    }
    if (inFlightMax < 1 || inFlightMax > 100_000) {
      throw new IllegalArgumentException(
          "%s.in-flight-max is [%d]; it must be 1 to 100000".formatted(PATH, inFlightMax));
    }
  }

  /** Reads the block {@code nucleusmem.store.tikv} of a configuration. */
  public static TikvSettings from(Config config) {
    Config block = config.getConfig(PATH);
    String ca = block.getString("tls.ca");
    String certificate = block.getString("tls.certificate");
    String key = block.getString("tls.key");
    if (ca.isBlank() && !(certificate.isBlank() && key.isBlank())) {
      throw new IllegalArgumentException(
          "%s.tls.ca is empty, but a certificate or key is set; name the CA too".formatted(PATH));
    }
    return new TikvSettings(
        block.getStringList("pd-endpoints"),
        block.getString("key-prefix"),
        block.getDuration("connect-timeout"),
        block.getDuration("request-timeout"),
        block.getDuration("operation-timeout"),
        block.getInt("in-flight-max"),
        ca.isBlank()
            ? Optional.empty()
            : Optional.of(new Tls(Path.of(ca), pathOrNull(certificate), pathOrNull(key))),
        new Gc(
            block.getBoolean("gc.enabled"),
            block.getDuration("gc.keep"),
            block.getDuration("gc.interval"),
            block.getDuration("gc.observe")));
  }

  private static Path pathOrNull(String text) {
    return text.isBlank() ? null : Path.of(text);
  }

  /** The defaults, on a cluster. */
  public static TikvSettings at(List<String> pdEndpoints) {
    return new TikvSettings(
        pdEndpoints,
        "nm",
        Duration.ofSeconds(5),
        Duration.ofSeconds(2),
        Duration.ofSeconds(10),
        256,
        Optional.empty(),
        Gc.DEFAULT);
  }

  private static void check(String key, Duration value, Duration min, Duration max) {
    if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
      throw new IllegalArgumentException(
          "%s.%s is [%s]; it must be %s to %s".formatted(PATH, key, value, min, max));
    }
  }
}
