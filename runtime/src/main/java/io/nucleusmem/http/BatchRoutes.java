package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.memspace.Written;
import io.nucleusmem.store.Bytes;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** Several writes as one: all or nothing, one revision. */
final class BatchRoutes {
  private final Callers callers;

  BatchRoutes(Callers callers) {
    this.callers = callers;
  }

  /** A batch. */
  record BatchJson(List<OpJson> ops) {}

  /**
   * One line of a batch. Which fields it may have depends on {@code op}.
   *
   * @param value for a merge the patch
   * @param claim token of the claim that is held on the key
   * @param claimDone ends that claim in the same commit
   */
  record OpJson(
      String op,
      String key,
      String region,
      String value,
      String valueBase64,
      Long amount,
      String contentType,
      Map<String, String> metadata,
      Long ifRevision,
      Long claim,
      Boolean claimDone) {

    Operation toOperation(int index, Region byDefault) {
      String at = "ops[" + index + "].";
      EntryKey entry =
          new EntryKey(
              region == null ? byDefault : Region.ofLabel(region),
              Required.text(at + "key", "append".equals(op) && key == null ? "" : key));
      return switch (Required.text(at + "op", op)) {
        case "put" -> {
          only(
              at,
              Set.of("value", "content_type", "metadata", "if_revision", "claim", "claim_done"));
          if (Boolean.TRUE.equals(claimDone) && claim == null) {
            throw MemSpaceException.invalid(
                at + "claim_done", true, "together with the claim's token");
          }
          yield new Operation.Put(
              entry, content(at), revision(at), token(), Boolean.TRUE.equals(claimDone));
        }
        case "delete" -> {
          only(at, Set.of("if_revision", "claim"));
          yield new Operation.Delete(entry, revision(at), token());
        }
        case "append" -> {
          only(at, Set.of("value", "content_type", "metadata"));
          yield new Operation.Append(entry, content(at));
        }
        case "add" -> {
          only(at, Set.of("amount", "claim"));
          yield new Operation.Add(entry, Required.number(at + "amount", amount), token());
        }
        case "merge" -> {
          only(at, Set.of("value", "if_revision", "claim"));
          yield new Operation.Merge(
              entry, ValueJson.bytes(at, value, valueBase64).utf8(), revision(at), token());
        }
        case "check" -> {
          only(at, Set.of("if_revision"));
          Required.number(at + "if_revision", ifRevision);
          yield new Operation.Check(entry, revision(at));
        }
        default ->
            throw MemSpaceException.invalid(
                at + "op", op, "put, delete, append, add, merge or check");
      };
    }

    private Content content(String at) {
      Bytes bytes = ValueJson.bytes(at, value, valueBase64);
      String type = contentType;
      if (type == null) {
        type = value == null ? Content.BINARY : Content.TEXT;
      }
      return new Content(bytes, type, Required.texts(at + "metadata", metadata));
    }

    private OptionalLong revision(String at) {
      if (ifRevision != null && ifRevision < 0) {
        throw MemSpaceException.invalid(at + "if_revision", ifRevision, "a revision, or 0: absent");
      }
      return optional(ifRevision);
    }

    private OptionalLong token() {
      return optional(claim);
    }

    private static OptionalLong optional(Long value) {
      return value == null ? OptionalLong.empty() : OptionalLong.of(value);
    }

    /** A field that the operation does not have is refused: it would be ignored in silence. */
    private void only(String at, Set<String> accepted) {
      Map<String, Object> given = new HashMap<>();
      given.put("value", value);
      given.put("value_base64", valueBase64);
      given.put("amount", amount);
      given.put("content_type", contentType);
      given.put("metadata", metadata);
      given.put("if_revision", ifRevision);
      given.put("claim", claim);
      given.put("claim_done", claimDone);
      given.forEach(
          (field, found) -> {
            String known = field.equals("value_base64") ? "value" : field;
            if (found != null && !accepted.contains(known)) {
              throw MemSpaceException.invalid(at + field, "given", "no such field beside op " + op);
            }
          });
    }
  }

  /**
   * The answer.
   *
   * @param keys as written, one per operation
   * @param values one per operation, if one of them was an add or a merge: the whole new number or
   *     the whole new JSON text, null for the others
   */
  record AnswerJson(
      long revision,
      Instant at,
      List<String> keys,
      @JsonInclude(JsonInclude.Include.NON_NULL) List<Object> values) {}

  void addTo(RouteTable table) {
    table.add("POST", "/v1/spaces/{space}/batch", Set.of("region"), this::write);
  }

  private CompletionStage<HttpResponse> write(Call call) {
    WriteOptions options = call.writeOptions();
    return call.json(BatchJson.class)
        .thenCompose(
            batch -> {
              List<Operation> operations = operations(call, batch);
              return callers
                  .withMount(call, mounted -> mounted.write(operations, options))
                  .thenApply(written -> answer(operations, written));
            });
  }

  private static List<Operation> operations(Call call, BatchJson batch) {
    List<OpJson> ops = Required.list("ops", batch.ops());
    if (ops.isEmpty()) {
      throw MemSpaceException.invalid("ops", "empty", "at least one operation");
    }
    Region byDefault = call.region();
    List<Operation> operations = new ArrayList<>(ops.size());
    for (int i = 0; i < ops.size(); i++) {
      try {
        operations.add(ops.get(i).toOperation(i, byDefault));
      } catch (MemSpaceException e) {
        throw withIndex(e, i);
      }
    }
    return operations;
  }

  private static MemSpaceException withIndex(MemSpaceException refusal, int index) {
    Map<String, Object> details = new HashMap<>(refusal.details());
    details.put("index", index);
    return new MemSpaceException(ErrorCode.INVALID_REQUEST, refusal.getMessage(), details, refusal);
  }

  private static HttpResponse answer(List<Operation> operations, Written written) {
    List<String> keys = written.results().stream().map(result -> result.key().name()).toList();
    List<Object> values = null;
    for (int i = 0; i < operations.size(); i++) {
      Content value = written.results().get(i).value();
      if (value != null) {
        values = values == null ? nulls(operations.size()) : values;
        values.set(
            i, operations.get(i) instanceof Operation.Add ? number(value.text()) : value.text());
      }
    }
    return Answers.replayed(
        Answers.ok(new AnswerJson(written.revision(), written.at(), keys, values)),
        written.replayed());
  }

  private static Object number(String text) {
    return new BigInteger(text);
  }

  private static List<Object> nulls(int size) {
    List<Object> values = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      values.add(null);
    }
    return values;
  }
}
