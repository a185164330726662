import { expect, it } from "vitest";
import { isHelperVerdict } from "../../../../src/prove/shared/helper-verdict.js";

it.each([
  ['verify_program("platform")', true],
  ["verify_signature(prog.insns,null,platform,2)", true],
  ["map_update(1)", true],
  ["map_delete(2)", true],
  ['map_lookup("plans","free")', false],
  ["current.uid", false],
])("%s is an errno: %s", (name, is) => expect(isHelperVerdict(name)).toBe(is));
