package io.nucleusmem;

/**
 * Marks messages, events and states that are sent or stored as CBOR by Akka's Jackson serializer.
 *
 * <p>What is stored lives for ever: a field is added, never renamed or given another meaning.
 */
public interface CborSerializable {}
