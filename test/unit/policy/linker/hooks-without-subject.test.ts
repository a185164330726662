import { describe, expect, it } from "vitest";
import { Guest, link } from "../../../support/guest.js";

/** A subject that cannot be handed over: whoever is handed it answers with a fault. */
const UNFIT = { name: "b", n: Number.NaN };

describe("a hook is handed its subject", () => {
  const fault = (text: string) => new Guest().ask(link(text), { subject: UNFIT }).fault?.code;

  it.each([
    "export const blob_verify = () => 0;",
    "export function blob_verify() { return 0; }",
    "export const blob_verify = () => { const f = function () { return arguments.length; }; return f(); };",
  ])("unless it cannot ask for it: %s", (text) => {
    expect(fault(text)).toBeUndefined();
  });

  it.each([
    "export const blob_verify = (blob) => 0;",
    "export const blob_verify = (...all) => 0;",
    "export const blob_verify = (_ = 1) => 0;",
    "export const blob_verify = function () { return arguments.length - 2; };",
    "export function blob_verify() { return arguments.length - 2; }",
    "export function blob_verify() { return 0; } blob_verify = (blob) => 0;",
    "export let blob_verify = () => 0; blob_verify = (blob) => 0;",
    "const blob_verify = () => 0; export { blob_verify };",
    'export { blob_verify } from "./other.js";',
  ])("wherever it might: %s", (text) => {
    const files = { "policy.js": text, "other.js": "export const blob_verify = () => 0;" };
    expect(new Guest().ask(link(files), { subject: UNFIT }).fault?.code).toBe("INTERNAL_FAULT");
  });

  it("if it has a parameter for it, whatever other hooks of the policy have", () => {
    const policy = link(
      "export const blob_verify = () => 0; export const bpf = (command) => (command.name === 'b' ? 0 : -1);",
    );
    const guest = new Guest();
    for (const n of [1, 2, 3]) {
      expect(guest.ask(policy, { hook: "bpf", subject: { name: n === 2 ? "c" : "b", n } }).verdict).toBe(
        n === 2 ? -1 : 0,
      );
      expect(guest.ask(policy, { subject: UNFIT })).toMatchObject({ verdict: 0, fault: null });
    }
  });
});
