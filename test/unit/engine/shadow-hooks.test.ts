import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/config.js";
import { hooksToServe, requireServed } from "../../../src/engine/shadow-hooks.js";
import type { HookName } from "../../../src/hooks/catalogue.js";
import { rejection } from "../../support/rejection.js";

const serving = (...hooks: readonly HookName[]) => ({ serves: (hook: HookName) => hooks.includes(hook) });
const CONFIG = parseConfig("/srv/countersign.yaml", "version: 1\nattachments: []\nshadow: new.yaml\n");

describe("the hooks of a shadow", () => {
  it("are those that a gate asks about only if they are served", () => {
    const shadow = serving("bpf_prog_load", "bpf_map_create", "kernel_read_file", "bpf_map", "bpf", "blob_verify");
    expect(hooksToServe(shadow)).toEqual(["bpf_map", "bpf"]);
  });

  it("have to be served by the configuration", () => {
    expect(() => requireServed(CONFIG, serving("bpf", "bpf_map"), ["bpf_map"])).not.toThrow();
    const { code, message, place } = rejection(() => requireServed(CONFIG, serving("bpf"), ["bpf_map", "bpf"]));
    expect([code, place]).toEqual(["CONFIG_INVALID", "/srv/countersign.yaml:3:9"]);
    expect(message).toContain("`/srv/new.yaml` decides at bpf_map, where");
  });
});
