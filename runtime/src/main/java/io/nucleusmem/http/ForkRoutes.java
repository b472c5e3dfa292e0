package io.nucleusmem.http;

import akka.http.javadsl.model.HttpResponse;
import com.fasterxml.jackson.databind.JsonNode;
import io.nucleusmem.memspace.Bookmark;
import io.nucleusmem.memspace.CreatedSpace;
import io.nucleusmem.memspace.ForkRequest;
import io.nucleusmem.memspace.Forks;
import io.nucleusmem.memspace.MemSpaceException;
import io.nucleusmem.memspace.ReadAt;
import io.nucleusmem.store.Bytes;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** Forks and bookmarks: of section 9 of the contract. */
final class ForkRoutes {
  private static final String BOOKMARK = "/v1/spaces/{space}/bookmarks/{name}";

  private final Forks forks;
  private final Callers callers;
  private final Replays replays;

  ForkRoutes(Forks forks, Callers callers, Replays replays) {
    this.forks = forks;
    this.callers = callers;
    this.replays = replays;
  }

  /**
   * A fork to be made.
   *
   * @param at a revision (number or digits), an instant or a bookmark; absent: now
   */
  record ForkJson(String name, JsonNode at) {}

  record AtJson(JsonNode at) {}

  record BookmarkJson(String name, long revision, Instant at, String by, Instant setAt) {
    static BookmarkJson of(Bookmark bookmark) {
      return new BookmarkJson(
          bookmark.name(), bookmark.revision(), bookmark.at(), bookmark.by(), bookmark.setAt());
    }
  }

  void addTo(RouteTable table) {
    table
        .add("POST", "/v1/spaces/{space}/forks", this::fork)
        .add("PUT", BOOKMARK, this::setBookmark)
        .add("GET", BOOKMARK, this::bookmark)
        .add("DELETE", BOOKMARK, this::removeBookmark)
        .add("GET", "/v1/spaces/{space}/bookmarks", Set.of("limit", "cursor"), this::bookmarks);
  }

  private CompletionStage<HttpResponse> fork(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              ForkJson json = Json.read("body", body, ForkJson.class);
              ForkRequest request =
                  new ForkRequest(
                      call.path("space"), Required.text("name", json.name()), at(json.at()));
              return replays.once(
                  call,
                  body,
                  () ->
                      forks
                          .fork(call.principal(), request, call.writeOptions())
                          .thenApply(this::created));
            });
  }

  private HttpResponse created(CreatedSpace created) {
    callers.mountsChanged();
    return Answers.created(
        "/v1/spaces/" + Percent.encodePath(created.space().name()),
        SpaceRoutes.SpaceJson.of(created.space(), created.mount().id()));
  }

  /** A past state in a body; what is now where there is none. */
  private static ReadAt at(JsonNode at) {
    if (at == null || at.isNull()) {
      return ReadAt.LATEST;
    }
    if (at.isTextual() && !at.textValue().isEmpty()) {
      return Call.past("at", at.textValue());
    }
    if (at.isIntegralNumber() && at.canConvertToLong() && at.longValue() > 0) {
      return ReadAt.revision(at.longValue());
    }
    throw MemSpaceException.invalid("at", at, "a revision, an instant or a bookmark's name");
  }

  private CompletionStage<HttpResponse> setBookmark(Call call) {
    return call.json()
        .thenCompose(
            body -> {
              ReadAt at = at(body.isEmpty() ? null : Json.read("body", body, AtJson.class).at());
              return replays.once(
                  call,
                  body,
                  () ->
                      callers
                          .withMount(
                              call,
                              mounted ->
                                  forks.bookmark(
                                      mounted, call.path("name"), at, call.writeOptions()))
                          .thenApply(found -> Answers.ok(BookmarkJson.of(found))));
            });
  }

  private CompletionStage<HttpResponse> bookmark(Call call) {
    return callers
        .withMount(call, mounted -> forks.bookmark(mounted, call.path("name")))
        .thenApply(found -> Answers.ok(BookmarkJson.of(found)));
  }

  private CompletionStage<HttpResponse> bookmarks(Call call) {
    return callers
        .withMount(call, mounted -> forks.bookmarks(mounted, call.limit(), call.cursor()))
        .thenApply(page -> Answers.page(page, BookmarkJson::of));
  }

  private CompletionStage<HttpResponse> removeBookmark(Call call) {
    return replays.once(
        call,
        Bytes.EMPTY,
        () ->
            callers
                .withMount(
                    call,
                    mounted ->
                        forks.removeBookmark(mounted, call.path("name"), call.writeOptions()))
                .thenApply(done -> Answers.noContent()));
  }
}
