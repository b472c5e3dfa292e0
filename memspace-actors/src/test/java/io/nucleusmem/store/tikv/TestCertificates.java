package io.nucleusmem.store.tikv;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import javax.security.auth.x500.X500Principal;

/**
 * Makes an authority and certificates that it has signed, as files in PEM. The JDK reads X.509 and
 * has no interface to write it, so a certificate is put together from its parts (RFC 5280, 4.1).
 */
public final class TestCertificates {
  private static final byte[] ECDSA_WITH_SHA256 =
      sequence(tagged(0x06, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02));
  private static final byte[] BASIC_CONSTRAINTS = tagged(0x06, 0x55, 0x1D, 0x13);
  private static final byte[] ALTERNATIVE_NAME = tagged(0x06, 0x55, 0x1D, 0x11);
  private static final byte[] YES = tagged(0x01, 0xFF);
  private static final int IP_ADDRESS = 0x87;
  private static final DateTimeFormatter UTC_TIME =
      DateTimeFormatter.ofPattern("yyMMddHHmmss'Z'").withZone(ZoneOffset.UTC);

  private final Path dir;
  private final String name;
  private final KeyPair keys;
  private final Path ca;
  private long serial;

  /**
   * An authority with a key of its own.
   *
   * @param dir for the files
   */
  public TestCertificates(Path dir, String name) throws GeneralSecurityException, IOException {
    this.dir = dir;
    this.name = name;
    this.keys = newKeys();
    this.ca =
        write(
            name + ".pem",
            "CERTIFICATE",
            certificate(name, keys, extension(BASIC_CONSTRAINTS, sequence(YES))));
  }

  /** A certificate and its key. */
  public record Pair(Path certificate, Path key) {}

  /** The authority's own certificate. */
  public Path ca() {
    return ca;
  }

  /**
   * A certificate for whoever is at an address, as a server and as a client.
   *
   * @param ip four numbers
   */
  public Pair sign(String subject, int... ip) throws GeneralSecurityException, IOException {
    KeyPair own = newKeys();
    byte[] names = sequence(tagged(IP_ADDRESS, ip));
    return new Pair(
        write(
            subject + ".pem",
            "CERTIFICATE",
            certificate(subject, own, extension(ALTERNATIVE_NAME, names))),
        write(subject + ".key", "PRIVATE KEY", own.getPrivate().getEncoded()));
  }

  private static KeyPair newKeys() throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(256);
    return generator.generateKeyPair();
  }

  private byte[] certificate(String subject, KeyPair own, byte[] extension)
      throws GeneralSecurityException {
    Instant now = Instant.now();
    byte[] content =
        sequence(
            tagged(0xA0, tagged(0x02, 2)), // version 3
            tagged(0x02, (int) ++serial),
            ECDSA_WITH_SHA256,
            new X500Principal("CN=" + name).getEncoded(),
            sequence(time(now.minusSeconds(3_600)), time(now.plusSeconds(86_400))),
            new X500Principal("CN=" + subject).getEncoded(),
            own.getPublic().getEncoded(),
            tagged(0xA3, sequence(extension)));
    Signature signature = Signature.getInstance("SHA256withECDSA");
    signature.initSign(keys.getPrivate());
    signature.update(content);
    byte[] unusedBits = {0};
    return sequence(content, ECDSA_WITH_SHA256, tagged(0x03, concat(unusedBits, signature.sign())));
  }

  private static byte[] extension(byte[] id, byte[] value) {
    return sequence(id, YES, tagged(0x04, value));
  }

  private static byte[] time(Instant at) {
    return tagged(0x17, UTC_TIME.format(at).getBytes(StandardCharsets.US_ASCII));
  }

  private static byte[] sequence(byte[]... parts) {
    return tagged(0x30, concat(parts));
  }

  private static byte[] tagged(int tag, int... content) {
    byte[] bytes = new byte[content.length];
    for (int i = 0; i < content.length; i++) {
      bytes[i] = (byte) content[i];
    }
    return tagged(tag, bytes);
  }

  /** DER: the tag, the length in the shortest form, the content. */
  private static byte[] tagged(int tag, byte[] content) {
    int length = content.length;
    byte[] head =
        length < 0x80
            ? new byte[] {(byte) tag, (byte) length}
            : length < 0x100
                ? new byte[] {(byte) tag, (byte) 0x81, (byte) length}
                : new byte[] {(byte) tag, (byte) 0x82, (byte) (length >> 8), (byte) length};
    return concat(head, content);
  }

  private static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  private Path write(String file, String type, byte[] der) throws IOException {
    String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    return Files.writeString(
        dir.resolve(file), "-----BEGIN %s-----%n%s%n-----END %1$s-----%n".formatted(type, body));
  }
}
