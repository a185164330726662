import { expect, it } from "vitest";
import type { ProgramSubject } from "../../../../src/bpf/model/facts.js";
import { IssuedObjects } from "../../../../src/gate/call/issued-objects.js";
import { program } from "../../../support/site.js";

it("computes the size of an issued program's facts once, also if its id is issued again", () => {
  let computed = 0;
  // the size counts the pieces of evidence, and nothing else here reads them
  const counted = (): ProgramSubject =>
    new Proxy(program("drop-telnet"), {
      get(facts, name) {
        if (name === "evidence") computed += 1;
        return Reflect.get(facts, name);
      },
    });
  const objects = new IssuedObjects();
  objects.issue({ id: 7, subject: counted() });
  expect(computed).toBe(1);
  const second = counted();
  objects.issue({ id: 7, subject: second });
  expect(computed).toBe(2);
  expect(objects.program(7)).toBe(second);
});
