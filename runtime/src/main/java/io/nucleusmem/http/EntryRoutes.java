package io.nucleusmem.http;

import akka.http.javadsl.model.ContentType;
import akka.http.javadsl.model.ContentTypes;
import akka.http.javadsl.model.HttpEntities;
import akka.http.javadsl.model.HttpResponse;
import akka.http.javadsl.model.ResponseEntity;
import akka.http.javadsl.model.StatusCodes;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.nucleusmem.memspace.Content;
import io.nucleusmem.memspace.Entry;
import io.nucleusmem.memspace.EntryKey;
import io.nucleusmem.memspace.ErrorCode;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.MountedSpace;
import io.nucleusmem.memspace.Operation;
import io.nucleusmem.memspace.Region;
import io.nucleusmem.memspace.ScanRequest;
import io.nucleusmem.memspace.WriteOptions;
import io.nucleusmem.memspace.Written;
import io.nucleusmem.store.Direction;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** Single entries, their history and listings: section 3 of the contract but for the batch. */
final class EntryRoutes {
  private static final String ENTRIES = "/v1/spaces/{space}/entries";
  private static final String ENTRY = "/v1/spaces/{space}/entries/{key...}";
  private static final String MERGE_PATCH = "application/merge-patch+json";

  private final Callers callers;

  EntryRoutes(Callers callers) {
    this.callers = callers;
  }

  /**
   * The answer to a write.
   *
   * @param value the whole new value where a patch was applied
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record WrittenJson(
      String space, String region, String key, long revision, Instant at, String value) {}

  /**
   * A version in a listing.
   *
   * @param deleted only in a history, and there only for deletions
   */
  record EntryJson(
      String key,
      String region,
      long revision,
      Instant at,
      String author,
      @JsonInclude(JsonInclude.Include.NON_NULL) String contentType,
      int size,
      Map<String, String> metadata,
      @JsonInclude(JsonInclude.Include.NON_NULL) Boolean deleted,
      @JsonUnwrapped ValueJson value) {
    static EntryJson of(Entry entry, boolean values) {
      return new EntryJson(
          entry.key().name(),
          entry.key().region().label(),
          entry.revision(),
          entry.at(),
          entry.author(),
          entry.deleted() ? null : entry.content().contentType(),
          entry.size(),
          entry.content().metadata(),
          entry.deleted() ? true : null,
          values && !entry.deleted() ? ValueJson.of(entry.content()) : null);
    }
  }

  void addTo(RouteTable table) {
    Set<String> one = Set.of("region");
    table
        .add("PUT", ENTRY, one, this::put)
        .add("PATCH", ENTRY, one, this::patch)
        .add("POST", ENTRIES, Set.of("region", "prefix"), this::append)
        .add("GET", ENTRY, Set.of("region", "as_of"), this::get)
        .add("DELETE", ENTRY, one, this::delete)
        .add(
            "GET",
            ENTRIES,
            Set.of("region", "prefix", "as_of", "order", "values", "limit", "cursor"),
            this::scan)
        .add(
            "GET",
            "/v1/spaces/{space}/history/{key...}",
            Set.of("region", "values", "limit", "cursor"),
            this::history);
  }

  // ---- writes ----

  private CompletionStage<HttpResponse> put(Call call) {
    EntryKey key = key(call);
    OptionalLong ifRevision = call.ifRevision();
    boolean ifAbsent = call.ifAbsent();
    OptionalLong claim = call.headerNumber(Headers.CLAIM);
    boolean claimDone = claimDone(call, claim);
    Map<String, String> metadata = call.metadata();
    WriteOptions options = call.writeOptions();
    return call.raw()
        .thenCompose(
            value -> {
              Content content = new Content(value, call.contentType(), metadata);
              Operation put = new Operation.Put(key, content, ifRevision, claim, claimDone);
              return write(call, put, options, ifAbsent ? 201 : 200);
            });
  }

  private CompletionStage<HttpResponse> patch(Call call) {
    EntryKey key = key(call);
    OptionalLong ifRevision = call.ifRevision();
    OptionalLong claim = call.headerNumber(Headers.CLAIM);
    WriteOptions options = call.writeOptions();
    call.requireType(MERGE_PATCH);
    if (claimDone(call, claim)) {
      throw MemSpaceException.invalid(
          Headers.CLAIM_DONE, "true on a PATCH", "true on a PUT or in a batch");
    }
    return call.raw()
        .thenCompose(
            patch ->
                write(
                    call, new Operation.Merge(key, patch.utf8(), ifRevision, claim), options, 200));
  }

  private CompletionStage<HttpResponse> append(Call call) {
    EntryKey prefix = new EntryKey(call.region(), call.query("prefix").orElse(""));
    Map<String, String> metadata = call.metadata();
    WriteOptions options = call.writeOptions();
    return call.raw()
        .thenCompose(
            value -> {
              Content content = new Content(value, call.contentType(), metadata);
              return write(call, new Operation.Append(prefix, content), options, 201);
            });
  }

  private CompletionStage<HttpResponse> delete(Call call) {
    OptionalLong claim = call.headerNumber(Headers.CLAIM);
    claimDone(call, claim); // a deletion ends its claim anyway
    return write(
        call, new Operation.Delete(key(call), call.ifRevision(), claim), call.writeOptions(), 200);
  }

  private CompletionStage<HttpResponse> write(
      Call call, Operation operation, WriteOptions options, int status) {
    return callers
        .withMount(call, mounted -> mounted.write(List.of(operation), options))
        .thenApply(written -> written(call.path("space"), operation, written, status));
  }

  private static HttpResponse written(
      String space, Operation operation, Written written, int status) {
    EntryKey key = written.key();
    WrittenJson body =
        new WrittenJson(
            space,
            key.region().label(),
            key.name(),
            written.revision(),
            written.at(),
            operation instanceof Operation.Merge ? written.value().text() : null);
    HttpResponse response = Answers.json(status, body).addHeader(Headers.etag(written.revision()));
    if (status == 201) {
      String location = "/v1/spaces/" + space + "/entries/" + Percent.encodePath(key.name());
      String region = key.region() == Region.MEMORY ? "" : "?region=" + key.region().label();
      response = response.addHeader(Headers.of(Headers.LOCATION, location + region));
    }
    return Answers.replayed(response, written.replayed());
  }

  private static boolean claimDone(Call call, OptionalLong claim) {
    boolean done = call.headerFlag(Headers.CLAIM_DONE);
    if (done && claim.isEmpty()) {
      throw MemSpaceException.invalid(
          Headers.CLAIM_DONE, "true without " + Headers.CLAIM, "together with the claim's token");
    }
    return done;
  }

  // ---- reads ----

  private CompletionStage<HttpResponse> get(Call call) {
    EntryKey key = key(call);
    return callers
        .withMount(call, mounted -> mounted.get(key, call.readAt()))
        .thenApply(
            found ->
                found
                    .map(entry -> entry(call, entry))
                    .orElseThrow(() -> notFound(call.path("space"), key)));
  }

  private static HttpResponse entry(Call call, Entry entry) {
    HttpResponse response =
        call.hasAlready(entry.revision())
            ? HttpResponse.create().withStatus(StatusCodes.NOT_MODIFIED)
            : HttpResponse.create().withEntity(entity(entry.content()));
    response =
        response
            .addHeader(Headers.etag(entry.revision()))
            .addHeader(Headers.of(Headers.REVISION, Long.toString(entry.revision())))
            .addHeader(Headers.of(Headers.AT, Json.format(entry.at())))
            .addHeader(Headers.of(Headers.AUTHOR, entry.author()));
    return entry.content().metadata().isEmpty()
        ? response
        : response.addHeader(Headers.of(Headers.METADATA, Json.line(entry.content().metadata())));
  }

  /** A content as a body. */
  static ResponseEntity entity(Content content) {
    return HttpEntities.create(contentType(content), content.value().shared());
  }

  /** The stored type; code may have stored one that HTTP does not know. */
  private static ContentType contentType(Content content) {
    try {
      return ContentTypes.parse(content.contentType());
    } catch (IllegalArgumentException e) {
      return ContentTypes.APPLICATION_OCTET_STREAM;
    }
  }

  private CompletionStage<HttpResponse> scan(Call call) {
    boolean values = call.flag("values");
    ScanRequest request =
        new ScanRequest(
            call.region(),
            call.query("prefix").orElse(""),
            call.readAt(),
            order(call),
            values,
            call.limit(),
            call.cursor());
    return callers
        .withMount(call, mounted -> mounted.scan(request))
        .thenApply(page -> Answers.pageAt(page, entry -> EntryJson.of(entry, values)));
  }

  private CompletionStage<HttpResponse> history(Call call) {
    EntryKey key = key(call);
    boolean values = call.flag("values");
    return callers
        .withMount(
            call, (MountedSpace mounted) -> mounted.history(key, call.limit(), call.cursor()))
        .thenApply(page -> Answers.page(page, entry -> EntryJson.of(entry, values)));
  }

  static Direction order(Call call) {
    String order = call.query("order").orElse("asc");
    return switch (order) {
      case "asc" -> Direction.ASCENDING;
      case "desc" -> Direction.DESCENDING;
      default -> throw MemSpaceException.invalid("order", order, "asc or desc");
    };
  }

  private static EntryKey key(Call call) {
    String name = call.path("key");
    if (name.isEmpty()) {
      throw MemSpaceException.invalid("key", "empty", "1 to 1024 bytes of UTF-8");
    }
    return new EntryKey(call.region(), name);
  }

  private static MemSpaceException notFound(String space, EntryKey key) {
    return new MemSpaceException(
        ErrorCode.ENTRY_NOT_FOUND,
        "space [%s] has no entry [%s] in region [%s] in the state that was asked for"
            .formatted(space, key.name(), key.region().label()));
  }
}
