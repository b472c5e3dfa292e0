package io.nucleusmem.persistence;

import io.nucleusmem.store.Bytes;

/**
 * An object as Akka's serialization wrote it.
 *
 * @param serializerId names the serializer that reads it back
 * @param manifest what that serializer needs to know of the type; may be empty
 */
record Serialized(int serializerId, String manifest, Bytes bytes) {}
