import { describe, expect, it } from "vitest";
import { heldError, rejectionOf } from "../../../../../src/gate/agent/container/admission.js";
import { readState } from "../../../../../src/gate/agent/container/container-state.js";
import { processState } from "../../../../support/runtime-connection.js";

const stateOf = (metadata: unknown) => readState(processState("c", { metadata }));
const admitted = (metadata: unknown, { served = "", sealed = false, sharedPids = true } = {}) =>
  rejectionOf(stateOf(metadata), { sharedPids, sealed }, (container) => container === served)?.message ?? "admitted";

describe("a container process", () => {
  it("is admitted with the profiles of this version", () => {
    for (const metadata of ["countersign-2", "countersign-fast-2"]) expect(admitted(metadata)).toBe("admitted");
  });

  it("is rejected with any other profile, with an error that says what to do", () => {
    for (const metadata of [undefined, null, 2, "", "mine", "countersign", "countersign-fast", "countersign-2 "]) {
      const error = rejectionOf(stateOf(metadata), { sharedPids: true }, () => false);
      const shown = typeof metadata === "string" ? metadata : "";
      expect(error?.code).toBe("CONTAINER_REJECTED");
      expect(error?.message).toMatch(new RegExp(`its \`listenerMetadata\` is \`${shown}\`$`));
      expect(error?.remedy).toContain("deploy/seccomp.json");
      expect(heldError(error!)).toMatchObject({ message: `${error!.message}; its calls fail with EPERM` });
    }
  });

  it("is admitted with a profile of an earlier version if other processes of its container are served with one", () => {
    for (const metadata of ["countersign", "countersign-fast"]) {
      expect(admitted(metadata, { served: "c" })).toBe("admitted");
      expect(admitted(metadata, { served: "d" })).not.toBe("admitted");
    }
    for (const metadata of ["", "mine"]) expect(admitted(metadata, { served: "c" })).not.toBe("admitted");
  });

  it("is rejected if it shares the pid namespace, or if its own is not known", () => {
    expect(admitted("countersign-2", { sharedPids: false })).toBe("container `c` shares the gate's pid namespace");
    const gone = { ...stateOf("countersign-2"), pid: 2 ** 22 + 1 };
    expect(rejectionOf(gone, { sharedPids: false }, () => false)?.message).toContain("shares the gate's pid namespace");
  });

  it("that is `countersign run` is admitted on a sealed machine alone", () => {
    expect(admitted("countersign-run", { sealed: true, sharedPids: false })).toBe("admitted");
    expect(admitted("countersign-run", { served: "c" })).toMatch(/is `countersign-run`$/);
  });
});
