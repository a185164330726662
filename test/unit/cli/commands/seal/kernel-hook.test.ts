import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { own } from "../../../../support/workplace.js";

const folder = mkdtempSync(join(tmpdir(), "kernel-hook-"));
const at = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(() => {
  rmSync(at("etc"), { recursive: true, force: true });
  mkdirSync(at("etc/lists"), { recursive: true });
});

/** Runs the hook as a kernel package does, with a `countersign` that prints its words and exits with a status. */
function install(status = 0) {
  writeFileSync(at("countersign"), `#!/bin/sh\necho "$@"\nexit ${status}\n`);
  chmodSync(at("countersign"), 0o755);
  const env = { PATH: `${folder}:${process.env.PATH}`, COUNTERSIGN_ETC: at("etc") };
  const ran = spawnSync("sh", [own("deploy/seal-list"), "6.12.1", "/boot/vmlinuz-6.12.1"], { env, encoding: "utf8" });
  return { status: ran.status, out: ran.stdout, err: ran.stderr };
}

const WORDS = `seal build --config ${at("etc")}/countersign.yaml --btf /boot/vmlinuz-6.12.1 --out ${at("etc")}/lists`;

describe("deploy/seal-list, the hook of a kernel package", () => {
  it("builds the list of the new kernel, and signs it if there is a key", () => {
    writeFileSync(at("etc/seal-list.conf"), "OBJECTS='/usr/lib/bpf /usr/sbin/tool'\n");
    expect(install()).toEqual({ status: 0, out: `${WORDS} /usr/lib/bpf /usr/sbin/tool\n`, err: "" });
    writeFileSync(at("etc/seal-list.conf"), "OBJECTS=/usr/lib/bpf KEY=/k CERT=/c\n");
    expect(install()).toEqual({ status: 0, out: `${WORDS} --key /k --cert /c /usr/lib/bpf\n`, err: "" });
  });

  it("passes each choice of modules on", () => {
    writeFileSync(at("etc/seal-list.conf"), "OBJECTS=/usr/lib/bpf MODULES='present+usb /etc/modules'\n");
    const words = `${WORDS} --modules present+usb --modules /etc/modules /usr/lib/bpf\n`;
    expect(install()).toEqual({ status: 0, out: words, err: "" });
  });

  it.each([
    [1, 0],
    [2, 2],
  ])("ends with the status of a build that ends with %i: %i", (built, status) => {
    writeFileSync(at("etc/seal-list.conf"), "OBJECTS=/usr/lib/bpf\n");
    expect(install(built).status === 0).toBe(status === 0);
  });

  it("leaves a list that was installed before", () => {
    writeFileSync(at("etc/seal-list.conf"), "OBJECTS=/usr/lib/bpf\n");
    writeFileSync(at("etc/lists/6.12.1.list"), "");
    expect(install().out).toBe("countersign: the seal list of 6.12.1 is there already\n");
  });

  it("does nothing where no list is wanted", () => {
    expect(install()).toEqual({ status: 0, out: "", err: "" });
  });
});
