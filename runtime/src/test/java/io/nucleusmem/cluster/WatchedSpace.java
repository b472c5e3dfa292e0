package io.nucleusmem.cluster;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Watches a space from its first revision; when its node dies it goes on at another one. */
final class WatchedSpace implements Runnable {
  /** An entry's signal and the value that was pulled for it. */
  record Signal(String key, long revision, String value) {}

  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final String space;
  private final Client client;
  private final Supplier<URI> nodes;
  private final List<Signal> signals = new ArrayList<>(); // guarded by itself
  private volatile boolean stop;
  private volatile String lastId = "0";
  private volatile Stream<String> lines;

  WatchedSpace(String space, Client client, Supplier<URI> nodes) {
    this.space = space;
    this.client = client;
    this.nodes = nodes;
  }

  @Override
  public void run() {
    while (!stop) {
      HttpRequest request =
          HttpRequest.newBuilder(nodes.get().resolve("/v1/spaces/" + space + "/watch?values=true"))
              .header("Last-Event-ID", lastId)
              .build();
      try {
        HttpResponse<Stream<String>> response =
            client.http().send(request, HttpResponse.BodyHandlers.ofLines());
        if (response.statusCode() == 200) {
          lines = response.body();
          lines.forEach(this::line);
        }
      } catch (IOException | java.io.UncheckedIOException e) {
        // its node is gone: on to the next
      } catch (InterruptedException e) {
        return;
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  private String id = "0";

  private void line(String line) {
    if (line.startsWith("id: ")) {
      id = line.substring(4);
    } else if (line.startsWith("data: ") && line.contains("\"kind\"")) {
      var data = Client.parse(line.substring(6));
      synchronized (signals) {
        signals.add(
            new Signal(
                data.path("key").asText(),
                data.path("revision").asLong(),
                data.path("value").asText()));
      }
    } else if (line.isEmpty()) {
      lastId = id; // the event is whole
    }
    if (stop) {
      throw new java.io.UncheckedIOException(new IOException("stopped"));
    }
  }

  List<Signal> signals() {
    synchronized (signals) {
      return List.copyOf(signals);
    }
  }

  void stop() {
    stop = true;
  }
}
