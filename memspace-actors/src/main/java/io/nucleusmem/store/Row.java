package io.nucleusmem.store;

/** A key and its value as stored. */
public record Row(Bytes key, Bytes value) {}
