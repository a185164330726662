import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/config.js";
import { DEFAULT_LIMITS } from "../../../src/sandbox/shared/limits.js";

const FULL = `
version: 1
default: { bpf_prog_load: deny }
keyrings:
  platform:
    trust: [certs/platform-ca.pem]
    revoked: { crls: [certs/platform.crl], certificates: [], digests: [${"AB".repeat(32)}] }
    usage: [codeSigning]
    validity: ignore
maps:
  container_policy: { file: maps/container-policy.json }
  seen: { writable: { entries: 100, bytes: 64KiB } }
attachments:
  - name: tc
    policy: policies/allow-unsigned-tc.js
    hooks: [bpf_prog_load]
    mode: audit
    scope: { labels: "tier in (edge, prod), !debug", uid: [0, 1000-1999], exe: /usr/bin/*, comm: [tc, ip], container: true }
    limits: { steps: 100000, memory: 8MiB, timeout: 50ms }
    domain: platform
  - policy: /etc/countersign/verify-all.ts
    on_fault: allow
    delegate: true
    freeze: true
signatures: [signatures/]
gate: { keyrings: { 0: platform, -4: platform } }
log: { file: decisions.jsonl, rotate: 1GiB }
`;

describe("a configuration", () => {
  const config = parseConfig("/srv/countersign.yaml", FULL);

  it("has paths relative to its file", () => {
    expect(config.keyrings[0]?.trust).toEqual(["/srv/certs/platform-ca.pem"]);
    expect(config.keyrings[0]?.revoked.crls).toEqual(["/srv/certs/platform.crl"]);
    expect(config.maps[0]?.file).toBe("/srv/maps/container-policy.json");
    expect(config.attachments.map(({ policy }) => policy)).toEqual([
      "/srv/policies/allow-unsigned-tc.js",
      "/etc/countersign/verify-all.ts",
    ]);
    expect(config.signatures).toEqual(["/srv/signatures"]);
    expect(config.log).toEqual({
      ...{ file: "/srv/decisions.jsonl", rotate: 2 ** 30, keep: 5 },
      ...{ level: "decision", onError: "deny", mask: [] },
    });
  });

  it("reads what every attachment says", () => {
    expect(config.attachments[0]).toEqual({
      name: "tc",
      place: "/srv/countersign.yaml:14:5",
      policy: "/srv/policies/allow-unsigned-tc.js",
      hooks: ["bpf_prog_load"],
      mode: "audit",
      scope: {
        labels: "tier in (edge, prod), !debug",
        uid: [
          [0, 0],
          [1000, 1999],
        ],
        exe: ["/usr/bin/*"],
        comm: ["tc", "ip"],
        container: true,
      },
      limits: { ...DEFAULT_LIMITS, steps: 100_000, memory: 8 * 2 ** 20, timeout: 50 },
      domain: "platform",
      onFault: "deny",
      delegate: false,
      freeze: false,
    });
  });

  it("has defaults for keys that are missing", () => {
    expect(config.attachments[1]).toMatchObject({
      name: "verify-all",
      hooks: null,
      mode: "enforce",
      scope: {},
      limits: DEFAULT_LIMITS,
      domain: "default",
      onFault: "allow",
      delegate: true,
      freeze: true,
    });
    expect(config.default).toMatchObject({ bpf_prog_load: "deny", bpf_map: "allow", blob_verify: "allow" });
    expect(config.maps.map(({ writable }) => writable)).toEqual([null, { entries: 100, bytes: 65_536 }]);
    expect(config.keyrings[0]).toMatchObject({ usage: ["codeSigning"], validity: "ignore" });
    expect(config.keyrings[0]?.revoked.digests).toEqual(["ab".repeat(32)]);
  });

  it("says which of its keyrings the kernel's are", () => {
    expect(config.gate.keyrings).toEqual({ "0": "platform", "-4": "platform" });
  });

  it("keeps the mode of each attachment where it is in audit itself", () => {
    const audit = parseConfig("c.yaml", "version: 1\nmode: audit\nattachments: [{policy: a.js, mode: enforce}]");
    expect([audit.mode, audit.attachments[0]?.mode]).toEqual(["audit", "enforce"]);
  });

  it("can be handed to a thread", () => {
    expect(structuredClone(config)).toEqual(config);
  });

  it("may be JSON", () => {
    expect(parseConfig("c.json", '{"version": 1, "attachments": [{"policy": "a.js"}]}').attachments[0]?.name).toBe("a");
  });

  it("is described by the schema that ships", () => {
    const schema = JSON.parse(readFileSync(new URL("../../../schema/config.schema.json", import.meta.url), "utf8"));
    expect(Object.keys(schema.properties)).toContain("attachments");
    expect(schema.required).toEqual(["version", "attachments"]);
    expect(schema.additionalProperties).toBe(false);
  });
});
