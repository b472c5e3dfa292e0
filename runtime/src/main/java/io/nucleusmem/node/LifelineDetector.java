package io.nucleusmem.node;

import akka.event.EventStream;
import akka.remote.PhiAccrualFailureDetector;
import com.typesafe.config.Config;

/** Akka's failure detector, which believes {@link Lifeline} that a process is dead. */
public final class LifelineDetector extends PhiAccrualFailureDetector {
  /** Akka's way to make one. */
  public LifelineDetector(Config config, EventStream events) {
    super(config, events);
  }

  @Override
  public boolean isAvailable() {
    return !Lifeline.DEAD.contains(address()) && super.isAvailable();
  }
}
