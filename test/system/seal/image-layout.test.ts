import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EXTERN, HEADER, KEY, MAP, PATCH, PROGRAM } from "../../../src/seal/image/image-layout.js";
import { own } from "../../support/workplace.js";

/** Offsets of members, and sizes of structs, as a C compiler sees image.h. */
function layoutOf(places: readonly (readonly [struct: string, member: string])[]): number[] {
  const folder = mkdtempSync(join(tmpdir(), "layout-"));
  const print = places.map(([struct, member]) =>
    member === "" ? `P(sizeof(struct ${struct}));` : `P(offsetof(struct ${struct}, ${member}));`,
  );
  writeFileSync(
    join(folder, "layout.c"),
    `#include <stddef.h>\n#include <stdio.h>\n#include "${own("src/seal/image/image.h")}"\n` +
      `#define P(x) printf("%zu\\n", x)\nint main(void) { ${print.join("\n")} }\n`,
  );
  execFileSync("gcc", ["-o", join(folder, "layout"), join(folder, "layout.c")]);
  const output = execFileSync(join(folder, "layout"), { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  return output.trim().split("\n").map(Number);
}

/** Struct, member and where TypeScript has it. */
const PLACES: readonly (readonly [struct: string, member: string, at: number])[] = [
  ["image_header", "", HEADER.size],
  ...Object.entries({ ...HEADER.fields, ...HEADER.ranges }).map(([name, at]) => ["image_header", name, at] as const),
  ["image_map", "", MAP.size],
  ...Object.entries(MAP.fields).map(([name, at]) => ["image_map", name, at] as const),
  ["image_map", "map_extra", MAP.map_extra],
  ["image_map", "contents", MAP.contents],
  ["image_patch", "", PATCH.size],
  ["image_key", "", KEY.size],
  ["image_key", "certificate", KEY.certificate],
  ["image_program", "", PROGRAM.size],
  ["image_program", "section", PROGRAM.section],
  ["image_program", "target", PROGRAM.target],
  ...Object.entries({ ...PROGRAM.fields, ...PROGRAM.ranges }).map(([name, at]) => ["image_program", name, at] as const),
  ["image_extern", "", EXTERN.size],
  ["image_extern", "slot", EXTERN.name],
];

describe("the image's layout", () => {
  it("is the same in TypeScript and in C", () => {
    expect(PLACES.map(([struct, member, at]) => `${struct}.${member}: ${at}`)).toEqual(
      layoutOf(PLACES.map(([struct, member]) => [struct, member])).map(
        (at, index) => `${PLACES[index]![0]}.${PLACES[index]![1]}: ${at}`,
      ),
    );
  });
});
