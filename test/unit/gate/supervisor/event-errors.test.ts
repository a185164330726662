import { expect, it } from "vitest";
import { errorOfEvent } from "../../../../src/gate/supervisor/event-errors.js";

it("events that the administrator must know are errors with a remedy", () => {
  for (const [code, error, message] of [
    [
      "GATE_FAILED",
      errorOfEvent({ is: "replaced", reason: "policy `a` took too long" }),
      "the decision thread was replaced: policy `a` took too long",
    ],
    [
      "GATE_FAILED",
      errorOfEvent({ is: "taskKilled", tid: 7 }),
      "task 7 made the gate wait for its memory and was killed",
    ],
    [
      "LOADS_THROTTLED",
      errorOfEvent({ is: "throttled", container: "web" }),
      "loads of container `web` wait, because it loads and closes more programs in a second than " +
        "`gate.program_releases`",
    ],
    [
      "LOADS_THROTTLED",
      errorOfEvent({ is: "throttled", container: null }),
      "loads of the command wait, because it loads and closes more programs in a second than `gate.program_releases`",
    ],
  ] as const)
    expect(error).toMatchObject({ code, message, remedy: expect.any(String) });
});
