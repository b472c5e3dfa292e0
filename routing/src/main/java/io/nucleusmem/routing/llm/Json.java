package io.nucleusmem.routing.llm;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** JSON as models are shown it and as they write it. */
final class Json {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private Json() {}

  /** One line: line ends inside of strings are escaped. */
  static String line(Object value) {
    try {
      return MAPPER.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("not to be written as JSON: " + value, e);
    }
  }

  /**
   * The JSON objects that stand in a text, whatever is around them; not those inside of others.
   *
   * @param max stops after so many
   */
  static List<JsonNode> objects(String text, int max) {
    List<JsonNode> objects = new ArrayList<>();
    int at = text.indexOf('{');
    int triesLeft = 100; // each costs at most one pass over an answer of bounded length
    while (at >= 0 && objects.size() < max && triesLeft-- > 0) {
      int from = at + 1;
      try (JsonParser parser = MAPPER.createParser(text.substring(at))) {
        JsonNode object = MAPPER.readTree(parser);
        if (object != null && object.isObject()) {
          objects.add(object);
          from = at + (int) parser.currentLocation().getCharOffset();
        }
      } catch (IOException e) {
        // prose with a brace in it: look behind it
      }
      at = text.indexOf('{', from);
    }
    return objects;
  }
}
