import { expect, it } from "vitest";
import { literalMapKeys } from "../../../../src/policy/linker/map-keys.js";
import { LinkTime } from "../../../../src/policy/syntax/link-time.js";
import { readUnits } from "../../../../src/policy/units/units.js";

it("finds keys that are literals, by whatever name the helper is called, and no others", () => {
  const text = `import { map_lookup as look, map_update } from "countersign";
import * as all from "countersign";
const map_lookup = (map, key) => key;
export const bpf_prog_load = (prog) => {
  all.map_lookup("n", \`b\`);
  look("m", prog.name), look(prog.name, "c"), look("m", \`x\${prog.name}\`), map_lookup("m", "d");
  return look("m", "a") === 1 || map_update("m", "e", 1) ? -1 : 0;
};
`;
  const [unit] = readUnits("p.js", { read: () => text, root: "." }, new LinkTime("p.js"));
  expect(literalMapKeys(unit!)).toMatchObject([
    { map: "n", key: "b", place: "p.js:5:23" },
    { map: "m", key: "a", place: "p.js:7:20" },
  ]);
});
