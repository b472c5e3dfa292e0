package io.nucleusmem.cluster;

import akka.actor.AbstractExtensionId;
import akka.actor.Address;
import akka.actor.AddressFromURIString;
import akka.actor.ExtendedActorSystem;
import akka.actor.Extension;
import akka.actor.ExtensionId;
import akka.actor.ExtensionIdProvider;
import akka.remote.RemoteActorRefProvider;
import akka.remote.testkit.Blackhole;
import akka.remote.testkit.Direction;
import akka.remote.testkit.SetThrottle;
import akka.remote.testkit.ThrottleMode;
import akka.remote.testkit.Unthrottled;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * Lives in a node's process and drops the frames to and from another node, as its standard input
 * says: {@code cut ADDRESS}, {@code heal ADDRESS}. Connections stay open, as they do when a cable
 * is pulled.
 */
public final class Cuts extends AbstractExtensionId<Cuts.Wires> implements ExtensionIdProvider {
  static final String CUT = "cut ";
  static final String HEAL = "heal ";

  /** The node's connections. */
  public static final class Wires implements Extension {
    private final ExtendedActorSystem system;

    private Wires(ExtendedActorSystem system) {
      this.system = system;
      Thread reader = new Thread(this::read, "cuts");
      reader.setDaemon(true);
      reader.start();
    }

    private void read() {
      try (BufferedReader input =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
        for (String line = input.readLine(); line != null; line = input.readLine()) {
          if (line.startsWith(CUT)) {
            set(line.substring(CUT.length()), Blackhole.getInstance());
          } else if (line.startsWith(HEAL)) {
            set(line.substring(HEAL.length()), Unthrottled.getInstance());
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private void set(String member, ThrottleMode mode) {
      Address address = AddressFromURIString.parse(member);
      ((RemoteActorRefProvider) system.provider())
          .transport()
          .managementCommand(new SetThrottle(address, Direction.Both$.MODULE$, mode));
    }
  }

  @Override
  public ExtensionId<Wires> lookup() {
    return this;
  }

  @Override
  public Wires createExtension(ExtendedActorSystem system) {
    return new Wires(system);
  }
}
