import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { own } from "../support/workplace.js";

const shell = (script: string) => {
  const env = {
    ...process.env,
    BIN: own("bin/countersign.js"),
    OBJECT: own("examples/xdp-steer.o"),
    NODE: process.execPath,
  };
  const { status, stdout, stderr } = spawnSync("bash", ["-c", `set -o pipefail; ${script}`], { encoding: "utf8", env });
  return { status, stdout, stderr };
};

describe("a command whose output nobody keeps", () => {
  it("ends quietly where the reader has seen enough, and not as if all were well", { tags: ["deep"] }, () => {
    const many = '$(for i in $(seq 500); do echo "$OBJECT"; done)';
    expect(shell(`"$NODE" "$BIN" inspect --json ${many} | head -c 1`)).toEqual({
      status: 141,
      stdout: "[",
      stderr: "",
    });
  });

  it("says so where the disk is full, and does not exit with 0", { tags: ["deep"] }, (context) => {
    if (!existsSync("/dev/full")) context.skip("needs /dev/full");
    const { status, stderr } = shell('"$NODE" "$BIN" inspect "$OBJECT" > /dev/full');
    expect(status).toBe(2);
    expect(stderr).toBe(
      "countersign: the output: cannot be written: ENOSPC [FILE_UNREADABLE]; check the disk space, or the file that standard output goes to\n",
    );
  });
});
