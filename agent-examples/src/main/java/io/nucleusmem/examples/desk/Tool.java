package io.nucleusmem.examples.desk;

import io.nucleusmem.agent.AgentContext;
import io.nucleusmem.examples.desk.Desk.Result;
import io.nucleusmem.examples.desk.Desk.Task;
import io.nucleusmem.memspace.Content;

/** What an analyst has a text analysed by. Blocks. */
interface Tool {

  /** Analyses a text. */
  Result of(Task task, String analyst, String text);

  /** The same tool, called through an agent's context: a rerun gets the recorded answer. */
  static Tool recorded(AgentContext<?> agent, Tool tool) {
    return (task, analyst, text) -> {
      String request = Desk.json(task).text() + " " + analyst + " " + text;
      AgentContext.Reply reply =
          agent.callAndWait(
              "analysis",
              request,
              () -> AgentContext.Reply.of(Desk.json(tool.of(task, analyst, text)).text()));
      return Desk.read(Content.json(reply.text()), Result.class);
    };
  }
}
