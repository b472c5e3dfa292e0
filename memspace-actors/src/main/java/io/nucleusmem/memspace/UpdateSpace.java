package io.nucleusmem.memspace;

import java.util.Map;
import java.util.Optional;

/**
 * What is to change of a space; what is empty stays. An owner's change is the transfer of a private
 * space.
 */
public record UpdateSpace(
    Optional<Map<String, String>> labels, Optional<Retention> retention, Optional<String> owner) {}
