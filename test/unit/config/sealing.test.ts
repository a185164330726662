import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseConfig, readConfig } from "../../../src/config/config.js";
import { SEALED_IF_UNSET } from "../../../src/config/keyring.js";
import type { Origin } from "../../../src/hooks/decision.js";

const ORIGINS = Object.keys(SEALED_IF_UNSET) as Origin[];
const SAID = [undefined, true, false];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-sealing-"));
  for (const sealed of SAID)
    writeFileSync(
      join(folder, `${sealed}.yaml`),
      JSON.stringify({ version: 1, keyrings: { k: { trust: ["ca.pem"], sealed } }, attachments: [] }),
    );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** `--follow-files` is an option of `run` alone. */
const CASES = ORIGINS.flatMap((origin) =>
  SAID.flatMap((said) => (origin === "run" ? [false, true] : [false]).map((follow) => ({ origin, said, follow }))),
);

describe("a keyring", () => {
  it.each(CASES)("with `sealed: $said` of `$origin`, files followed: $follow", ({ origin, said, follow }) => {
    const file = join(folder, `${said}.yaml`);
    const { keyrings } = follow ? readConfig(file, origin, parseConfig, false) : readConfig(file, origin);
    expect(keyrings.map(({ sealed }) => sealed)).toEqual([said ?? (origin === "run" && !follow)]);
  });

  it("without `sealed` leaves the choice to the command that reads the configuration", () => {
    const text = 'version: 1\nkeyrings: { k: { trust: ["ca.pem"] } }\nattachments: []\n';
    expect(parseConfig("/countersign.yaml", text).keyrings[0]?.sealed).toBeNull();
  });
});
