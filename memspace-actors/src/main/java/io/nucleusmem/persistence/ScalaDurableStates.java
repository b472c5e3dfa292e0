package io.nucleusmem.persistence;

import akka.Done;
import akka.persistence.state.scaladsl.DurableStateUpdateStore;
import akka.persistence.state.scaladsl.GetObjectResult;
import scala.concurrent.Future;

/**
 * {@link DurableStates} as Scala sees them; Akka's typed durable-state actors ask for this face.
 */
final class ScalaDurableStates implements DurableStateUpdateStore<Object> {
  private final DurableStates states;

  ScalaDurableStates(DurableStates states) {
    this.states = states;
  }

  @Override
  public Future<GetObjectResult<Object>> getObject(String persistenceId) {
    return Stages.toScala(
        states
            .getObject(persistenceId)
            .thenApply(akka.persistence.state.javadsl.GetObjectResult::toScala));
  }

  @Override
  public Future<Done> upsertObject(String persistenceId, long revision, Object value, String tag) {
    return Stages.toScala(states.upsertObject(persistenceId, revision, value, tag));
  }

  @Override
  public Future<Done> deleteObject(String persistenceId, long revision) {
    return Stages.toScala(states.deleteObject(persistenceId, revision));
  }

  @Override
  @Deprecated
  public Future<Done> deleteObject(String persistenceId) {
    return Stages.toScala(states.deleteObject(persistenceId));
  }
}
