package io.nucleusmem.persistence;

import akka.actor.ClassicActorSystemProvider;
import akka.serialization.Serialization;
import akka.serialization.SerializationExtension;
import akka.serialization.Serializers;
import io.nucleusmem.store.Bytes;
import java.util.Optional;
import scala.Option;
import scala.jdk.javaapi.OptionConverters;

/** Turns objects into {@link Serialized} and back by Akka's serialization. */
final class Payloads {
  private final Serialization serialization;

  Payloads(ClassicActorSystemProvider system) {
    serialization = SerializationExtension.get(system);
  }

  /** Serializes; throws what the serializer throws, checked exceptions too. */
  Serialized write(Object object) throws Exception {
    byte[] bytes = serialization.serialize(object).get();
    var serializer = serialization.findSerializerFor(object);
    return new Serialized(
        serializer.identifier(), Serializers.manifestFor(serializer, object), Bytes.wrap(bytes));
  }

  /** The same for what may be absent. */
  Optional<Serialized> writeIfAny(Option<Object> object) throws Exception {
    return object.isEmpty() ? Optional.empty() : Optional.of(write(object.get()));
  }

  Object read(Serialized serialized) {
    return serialization
        .deserialize(serialized.bytes().shared(), serialized.serializerId(), serialized.manifest())
        .get();
  }

  /** The same for what may be absent. */
  Option<Object> readIfAny(Optional<Serialized> serialized) {
    return OptionConverters.toScala(serialized.map(this::read));
  }
}
