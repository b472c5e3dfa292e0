package io.nucleusmem.memspace;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorRefResolver;
import akka.actor.typed.ActorSystem;
import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.jsontype.NamedType;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import com.fasterxml.jackson.module.paramnames.ParameterNamesModule;
import io.nucleusmem.ledger.LedgerId;
import io.nucleusmem.ledger.LogRecord;
import io.nucleusmem.ledger.LogRow;
import io.nucleusmem.ledger.Outcome;
import io.nucleusmem.store.Bytes;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How messages between nodes are written: records by their components, as CBOR, with a few types
 * that have a form of their own. Only types that are named here are made of what was received.
 */
final class Wire {
  private static final Map<String, Class<?>> ANSWERS =
      Stream.<Class<?>>of(
              Long.class,
              Boolean.class,
              String.class,
              LedgerId.class,
              Outcome.class,
              MemSpace.Description.class,
              SubscriptionInfo.class,
              Topic.Taken.class)
          .collect(Collectors.toMap(Class::getSimpleName, Function.identity()));

  private Wire() {}

  /** Says which of several records it is. */
  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "@is")
  private interface OneOf {}

  static ObjectMapper mapper(ActorSystem<?> system) {
    ObjectMapper mapper =
        CBORMapper.builder()
            .addModule(new Jdk8Module())
            .addModule(new JavaTimeModule())
            .addModule(new ParameterNamesModule())
            .addModule(forms(system))
            .visibility(PropertyAccessor.ALL, Visibility.NONE)
            .visibility(PropertyAccessor.FIELD, Visibility.ANY)
            .visibility(PropertyAccessor.CREATOR, Visibility.ANY)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
            .addMixIn(Operation.class, OneOf.class)
            .addMixIn(SpaceCommand.class, OneOf.class)
            .addMixIn(SubscriptionSpec.From.class, OneOf.class)
            .build();
    for (Class<?> type :
        List.of(
            Operation.Put.class,
            Operation.Delete.class,
            Operation.Append.class,
            Operation.Add.class,
            Operation.Merge.class,
            Operation.Check.class,
            SpaceWrite.class,
            SpaceChanges.AddMount.class,
            SpaceChanges.RenewClaim.class,
            KeepingChanges.Erase.class,
            KeepingChanges.EndErasure.class,
            KeepingChanges.Quarantine.class,
            ForkChanges.AddPin.class,
            ForkChanges.RemovePin.class,
            ForkChanges.AddCopy.class,
            ForkChanges.BeginCopying.class,
            ForkChanges.EndCopying.class,
            ForkChanges.StandAlone.class,
            ForkChanges.SetBookmark.class,
            ForkChanges.RemoveBookmark.class,
            LettingGo.BeginLettingGo.class,
            LettingGo.EndLettingGo.class,
            MergeChanges.Begin.class,
            MergeChanges.Note.class,
            SubscriptionSpec.From.Latest.class,
            SubscriptionSpec.From.Earliest.class,
            SubscriptionSpec.From.Revision.class)) {
      mapper.registerSubtypes(new NamedType(type, type.getSimpleName()));
    }
    return mapper;
  }

  private static SimpleModule forms(ActorSystem<?> system) {
    ActorRefResolver refs = ActorRefResolver.get(system);
    Awaited awaited = Awaited.get(system);
    SimpleModule module = new SimpleModule("nucleusmem");
    add(
        module,
        Bytes.class,
        (bytes, out) -> out.writeBinary(bytes.shared()),
        in -> Bytes.wrap(in.getBinaryValue()));
    add(
        module,
        LogRecord.class,
        (record, out) ->
            out.writeBinary(new LogRow(0, 0, 0, List.of(record)).encode(true).shared()),
        in -> LogRow.decode(0, Bytes.wrap(in.getBinaryValue())).record(0));
    add(
        module,
        Promise.class,
        (promise, out) -> out.writePOJO(awaited.leaves(promise)),
        in -> awaited.arrives(in.readValueAs(Promise.Origin.class)));
    add(
        module,
        ActorRef.class,
        (ref, out) -> out.writeString(refs.toSerializationFormat((ActorRef<?>) ref)),
        in -> refs.resolveActorRef(in.getText()));
    add(
        module,
        CommitListener.class,
        (listener, out) ->
            out.writeString(
                refs.toSerializationFormat(((WatchChannel.Listener) listener).channel())),
        in -> new WatchChannel.Listener(refs.resolveActorRef(in.getText())));
    add(module, Awaited.Answer.class, Wire::write, Wire::answer);
    return module;
  }

  // ---- answers ----

  private static void write(Awaited.Answer answer, JsonGenerator out) throws IOException {
    out.writeStartObject();
    out.writeNumberField("number", answer.number());
    if (answer.failure() instanceof MemSpaceException failure) {
      out.writeStringField("code", failure.code().name());
      out.writeStringField("message", failure.getMessage());
      out.writePOJOField("details", failure.details());
      if (failure instanceof RevisionMismatchException mismatch) {
        out.writePOJOField("current", mismatch.current().orElse(null));
      }
    } else if (answer.value() instanceof List<?> list) {
      out.writeStringField("list", list.isEmpty() ? "Long" : nameOf(list.get(0)));
      out.writePOJOField("value", list);
    } else {
      out.writeStringField("is", nameOf(answer.value()));
      out.writePOJOField("value", answer.value());
    }
    out.writeEndObject();
  }

  private static String nameOf(Object value) {
    String name = value.getClass().getSimpleName();
    if (!ANSWERS.containsKey(name)) {
      throw new IllegalArgumentException(
          "[%s] is no answer that can go to another node".formatted(value.getClass().getName()));
    }
    return name;
  }

  private static Awaited.Answer answer(JsonParser in) throws IOException {
    ObjectMapper mapper = (ObjectMapper) in.getCodec();
    JsonNode tree = mapper.readTree(in);
    long number = tree.get("number").asLong();
    if (tree.has("code")) {
      return new Awaited.Answer(number, null, failure(mapper, tree));
    }
    boolean list = tree.has("list");
    Class<?> type = ANSWERS.get(tree.get(list ? "list" : "is").asText());
    Object value =
        list
            ? mapper.convertValue(
                tree.get("value"),
                mapper.getTypeFactory().constructCollectionType(List.class, type))
            : mapper.treeToValue(tree.get("value"), type);
    return new Awaited.Answer(number, value, null);
  }

  @SuppressWarnings("unchecked") // a JSON object
  private static MemSpaceException failure(ObjectMapper mapper, JsonNode tree) throws IOException {
    ErrorCode code = ErrorCode.valueOf(tree.get("code").asText());
    String message = tree.get("message").asText();
    Map<String, Object> details = mapper.convertValue(tree.get("details"), Map.class);
    return code == ErrorCode.REVISION_MISMATCH
        ? new RevisionMismatchException(
            message, details, mapper.treeToValue(tree.get("current"), Entry.class))
        : new MemSpaceException(code, message, details);
  }

  // ---- forms ----

  private interface Writer<T> {
    void write(T value, JsonGenerator out) throws IOException;
  }

  private interface Reader<T> {
    T read(JsonParser in) throws IOException;
  }

  private static <T> void add(
      SimpleModule module, Class<T> type, Writer<? super T> writer, Reader<? extends T> reader) {
    module.addSerializer(
        type,
        new StdSerializer<T>(type) {
          private static final long serialVersionUID = 1L;

          @Override
          public void serialize(T value, JsonGenerator out, SerializerProvider provider)
              throws IOException {
            writer.write(value, out);
          }
        });
    module.addDeserializer(
        type,
        new StdDeserializer<T>(type) {
          private static final long serialVersionUID = 1L;

          @Override
          public T deserialize(JsonParser in, DeserializationContext context) throws IOException {
            return reader.read(in);
          }
        });
  }
}
