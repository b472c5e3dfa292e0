package io.nucleusmem.memspace;

import akka.actor.ExtendedActorSystem;
import akka.actor.typed.javadsl.Adapter;
import akka.serialization.SerializerWithStringManifest;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.store.Bytes;
import io.nucleusmem.store.BytesReader;
import io.nucleusmem.store.BytesWriter;
import java.io.IOException;
import java.io.NotSerializableException;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What callers, owners and watch channels on different nodes tell each other. Commits travel as
 * their log rows; all else is CBOR, see {@link Wire}. The kinds of messages are named here and
 * nothing else is read. Nodes of one cluster run the same minor version: no message is stored.
 */
public final class OwnerSerializer extends SerializerWithStringManifest {
  /** Bytes of a commit above which it travels without the values; they can be pulled. */
  private static final int COMMIT_BYTES_MAX = 1 << 20;

  private static final String COMMITTED = "committed";

  private static final Map<String, Class<?>> KINDS =
      Stream.<Class<?>>of(
              LedgerOwner.RevisionAt.class,
              LedgerOwner.Newest.class,
              LedgerOwner.Attach.class,
              LedgerOwner.Detach.class,
              LedgerOwner.Compact.class,
              LedgerOwner.Home.class,
              MemSpace.Apply.class,
              MemSpace.MakeClaim.class,
              MemSpace.Describe.class,
              MemSpace.OpenGrant.class,
              MemSpace.RevokeMount.class,
              MemSpace.Update.class,
              MemSpace.SetState.class,
              MemSpace.ChangeRules.class,
              MemSpace.FindTopic.class,
              Topic.Publish.class,
              Topic.Subscribe.class,
              Topic.Pull.class,
              Topic.Settle.class,
              Topic.Inspect.class,
              Topic.Unsubscribe.class,
              Grants.Granted.class,
              Grants.Changed.class,
              Awaited.Answer.class)
          .collect(Collectors.toMap(Class::getSimpleName, Function.identity()));

  private final ExtendedActorSystem system;
  private volatile ObjectMapper mapper; // made at first use: it needs actors, this must not

  public OwnerSerializer(ExtendedActorSystem system) {
    this.system = system;
  }

  @Override
  public int identifier() {
    return 7_301;
  }

  @Override
  public String manifest(Object message) {
    return message instanceof WatchChannel.Committed
        ? COMMITTED
        : message.getClass().getSimpleName();
  }

  @Override
  public byte[] toBinary(Object message) {
    if (message instanceof WatchChannel.Committed committed) {
      Bytes row = committed.row().encode(true);
      if (row.length() > COMMIT_BYTES_MAX) {
        row = committed.row().encode(false);
      }
      return new BytesWriter(row.length() + 16)
          .i64(committed.after())
          .i64(committed.row().first())
          .raw(row)
          .toBytes()
          .shared();
    }
    try {
      return mapper().writeValueAsBytes(message);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "cannot send [%s] to another node".formatted(message.getClass().getName()), e);
    }
  }

  @Override
  public Object fromBinary(byte[] bytes, String manifest) throws NotSerializableException {
    if (manifest.equals(COMMITTED)) {
      BytesReader in = new BytesReader(Bytes.wrap(bytes));
      long after = in.i64();
      return new WatchChannel.Committed(after, LogRow.decode(in.i64(), in.rest()));
    }
    Class<?> kind = KINDS.get(manifest);
    if (kind == null) {
      throw new NotSerializableException(
          "a message of kind [%s] came from another node; known are %s"
              .formatted(manifest, KINDS.keySet()));
    }
    try {
      return mapper().readValue(bytes, kind);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "cannot read a message of kind [%s] of another node".formatted(manifest), e);
    }
  }

  private ObjectMapper mapper() {
    if (mapper == null) {
      mapper = Wire.mapper(Adapter.toTyped(system));
    }
    return mapper;
  }
}
