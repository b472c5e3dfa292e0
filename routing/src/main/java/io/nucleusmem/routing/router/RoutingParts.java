package io.nucleusmem.routing.router;

import io.nucleusmem.routing.Recipients;
import java.time.InstantSource;

/** What the router is made of, on one node. */
record RoutingParts(
    RoutingSettings settings,
    MemoryLimits limits,
    InstantSource clock,
    Recipients recipients,
    RouteRegistry routes,
    LiveView live,
    PastRoutes past,
    Conversations conversations,
    Decider decider,
    Routers routers,
    Instances instances,
    Deliveries deliveries,
    DecisionLog log,
    DecisionPages pages,
    Courier courier,
    Replays replays,
    TopicHooks hooks) {}
