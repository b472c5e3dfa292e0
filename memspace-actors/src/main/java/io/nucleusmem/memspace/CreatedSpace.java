package io.nucleusmem.memspace;

/** A new space and its creator's mount of it. */
public record CreatedSpace(SpaceInfo space, MountInfo mount) {}
