import { describe, expect, it } from "vitest";
import { describedRequest } from "../../../../src/workbench/requests/described-request.js";

describe("describedRequest", () => {
  it.each([
    [{ program: { type: "xdp" } }, "bpf_prog_load"],
    [{ map: { type: "hash" } }, "bpf_map_create"],
    [{ command: { name: "BPF_OBJ_PIN", path: "/sys/fs/bpf/x" } }, "bpf"],
    [{ token: {} }, "bpf_token_create"],
    [{ module: { name: "dummy" } }, "kernel_read_file"],
    [{ executable: { path: "/usr/bin/true" } }, "bprm_check_security"],
    [{ blob: { name: "rules", data: { hex: "00" } } }, "blob_verify"],
  ])("makes a request of %j", (given, hook) => {
    expect(describedRequest({ ...given, uid: 7 })).toMatchObject({ hook, current: { uid: 7 } });
  });

  it.each([
    [{}, "CONFIG_INVALID"],
    [{ command: { name: "BPF_OBJ_PIN", digest: "x" } }, "CONFIG_INVALID"],
    [{ program: { type: "none" } }, "CONFIG_INVALID"],
    [{ program: { type: "xdp" }, maps: { tiers: {} } }, "USAGE"],
  ])("rejects %j", (given, code) => {
    expect(() => describedRequest(given, "my request")).toThrow(
      expect.objectContaining({ code, place: expect.stringMatching(/^my request:1/) }),
    );
  });
});
