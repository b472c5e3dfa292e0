package io.nucleusmem.store.tikv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.StoreException;
import io.nucleusmem.store.WriteBatch;
import io.nucleusmem.store.tikv.server.TikvTestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** To which clusters a store connects, and what it says of those to which it does not. */
@Timeout(240)
class TikvConnectTest {
  private static final Duration SOON = Duration.ofSeconds(1);

  @TempDir Path dir;

  private TestCertificates authority;
  private TestCertificates stranger;
  private TestCertificates.Pair server;
  private TestCertificates.Pair client;

  @BeforeEach
  void makeCertificates() throws Exception {
    authority = new TestCertificates(dir, "authority");
    stranger = new TestCertificates(dir, "stranger");
    server = authority.sign("server", 127, 0, 0, 1);
    client = authority.sign("client", 127, 0, 0, 1);
  }

  private static TikvStore open(TikvTestCluster cluster, TikvSettings.Tls tls) {
    return open(cluster, tls, Duration.ofSeconds(60));
  }

  private static TikvStore open(
      TikvTestCluster cluster, TikvSettings.Tls tls, Duration connectTimeout) {
    return TikvStore.open(
        new TikvSettings(
            List.of(cluster.pdAddresses().split(",")),
            "nm",
            connectTimeout,
            Duration.ofSeconds(2),
            Duration.ofSeconds(10),
            16,
            Optional.ofNullable(tls),
            TikvSettings.Gc.DEFAULT),
        ForkJoinPool.commonPool());
  }

  private static void writeAndRead(TikvTestCluster cluster, TikvSettings.Tls tls) {
    try (TikvStore store = open(cluster, tls)) {
      long now = store.now().toCompletableFuture().join();
      Bytes key = Bytes.utf8("k");
      store.commit(WriteBatch.at(now).insert(key, key).build()).toCompletableFuture().join();
      assertThat(store.get(key).toCompletableFuture().join()).contains(key);
    }
  }

  /** Tries in vain for as long as it may. */
  private static void notReached(
      TikvTestCluster cluster, TikvSettings.Tls tls, Duration connectTimeout, String contained) {
    assertThatThrownBy(() -> open(cluster, tls, connectTimeout))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("connect-timeout")
        .hasMessageContaining(cluster.pdAddresses())
        .hasMessageContaining(contained);
  }

  private static void refused(ThrowingCallable open, String... contained) {
    assertThatThrownBy(open).isInstanceOf(StoreException.class).hasMessageContainingAll(contained);
  }

  private TikvSettings.Tls tls(Path ca) {
    return new TikvSettings.Tls(ca, null, null);
  }

  private static TikvSettings.Tls tls(TestCertificates trusted, TestCertificates.Pair own) {
    return new TikvSettings.Tls(trusted.ca(), own.certificate(), own.key());
  }

  @Test
  void anEncryptedClusterIsReadAndWritten() throws IOException {
    try (var cluster = TikvTestCluster.startTls(server.certificate(), server.key(), null)) {
      writeAndRead(cluster, tls(authority.ca()));
    }
  }

  @Test
  void aClusterThatAsksForACertificateGetsOurs() throws Exception {
    try (var cluster =
        TikvTestCluster.startTls(server.certificate(), server.key(), authority.ca())) {
      writeAndRead(cluster, tls(authority, client));
      notReached(cluster, tls(authority.ca()), SOON, "");
      TestCertificates.Pair foreign = stranger.sign("foreign", 127, 0, 0, 1);
      notReached(cluster, tls(authority, foreign), SOON, "");
    }
  }

  @Test
  void aServerThatTheCaHasNotSignedIsNotTrusted() throws IOException {
    try (var cluster = TikvTestCluster.startTls(server.certificate(), server.key(), null)) {
      notReached(cluster, tls(stranger.ca()), Duration.ofSeconds(5), "certif");
    }
  }

  @Test
  void aCertificateForAnotherAddressIsNotAccepted() throws Exception {
    TestCertificates.Pair elsewhere = authority.sign("elsewhere", 10, 0, 0, 1);
    try (var cluster = TikvTestCluster.startTls(elsewhere.certificate(), elsewhere.key(), null)) {
      notReached(cluster, tls(authority.ca()), SOON, "");
    }
  }

  @Test
  void oneSideEncryptedAndTheOtherNotIsToldInTime() throws IOException {
    try (var encrypted = TikvTestCluster.startTls(server.certificate(), server.key(), null);
        var plain = TikvTestCluster.start()) {
      notReached(encrypted, null, SOON, "");
      notReached(plain, tls(authority.ca()), SOON, "");
    }
  }

  @Test
  void filesThatAreNotWhatTheyShouldBeAreNamed() throws IOException {
    assertThatThrownBy(() -> tls(dir.resolve("none.pem")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("nucleusmem.store.tikv.tls.ca", "none.pem");
    assertThatThrownBy(() -> new TikvSettings.Tls(authority.ca(), client.certificate(), null))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("certificate only");
    Path text = Files.writeString(dir.resolve("text.pem"), "no certificate");
    try (var cluster = TikvTestCluster.start()) {
      refused(() -> open(cluster, tls(text)), "nucleusmem.store.tikv.tls", "text.pem", "PEM");
      TikvSettings.Tls badKey = new TikvSettings.Tls(authority.ca(), client.certificate(), text);
      refused(() -> open(cluster, badKey), "nucleusmem.store.tikv.tls", "text.pem", "PKCS#8");
    }
  }

  @Test
  void aCertificateWithoutItsCaIsRefused() {
    assertThatThrownBy(
            () ->
                TikvSettings.from(
                    ConfigFactory.parseString("nucleusmem.store.tikv.tls.certificate = a")
                        .withFallback(ConfigFactory.defaultReference())
                        .resolve()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("nucleusmem.store.tikv.tls.ca");
  }

  @Test
  void aClusterThatIsTooOldIsRefused() {
    try (var cluster = TikvTestCluster.start()) {
      for (String old : List.of("5.4.3", "v4.0.16", "", "nightly")) {
        cluster.version(old);
        refused(() -> open(cluster, null), "[" + old + "]", "6.0.0", cluster.pdAddresses());
      }
      for (String young : List.of("6.0.0", "v8.5.5", "9.0.0-beta.1")) {
        cluster.version(young);
        writeAndReadAgain(cluster);
      }
    }
  }

  private static void writeAndReadAgain(TikvTestCluster cluster) {
    try (TikvStore store = open(cluster, null)) {
      assertThat(store.get(Bytes.utf8("k")).toCompletableFuture().join()).isEmpty();
    }
  }
}
