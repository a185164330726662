import { describe, expect, it } from "vitest";
import type { CallOfRecord, VerificationContent } from "../../../../src/log/input-records.js";
import { recordedCalls } from "../../../../src/workbench/explain/recorded-calls.js";

const SIGNER = { subject: "CN=Signer", key_id: "ab", serial: "01", issuer: "CN=CA" };
const PATH = [{ subject: "CN=Signer", serial: "01", issuer: "CN=CA" }];
const GOOD = { verdict: 0, reason: "signed by `CN=Signer`", rule: null, signers: [SIGNER], paths: [PATH] };
const BAD = { verdict: -126, reason: "it has expired", rule: "RFC 5280 6.1.3 (a)(2)", signers: [], paths: [PATH] };
const VERIFICATIONS: Readonly<Record<string, unknown>> = { good: GOOD, bad: BAD, old: { ...GOOD, paths: undefined } };
const verification = (digest: string) => (VERIFICATIONS[digest] ?? null) as VerificationContent | null;
const of = (...calls: readonly unknown[]) => recordedCalls(calls, verification);
const SIGNED = { data: "data", signature: "signature", keyring: "k", signature_type: "PKCS7" };

describe("a recorded call", () => {
  it.each([
    [{ call: "map_lookup", map: "m", key: "k\n", value: 1 }, ['"m"', '"k\\n"'], 1],
    [{ call: "map_lookup", map: "m", key: "k" }, ['"m"', '"k"'], undefined],
    [{ call: "map_update", map: "m", key: "k", value: { a: 1 }, result: -7 }, ['"m"', '"k"', '{"a":1}'], -7],
    [{ call: "map_delete", map: "m", key: "k", result: 0 }, ['"m"', '"k"'], 0],
    [{ call: "hash", algorithm: "sha256", data: "data", result: "00" }, ['"sha256"', "data"], "00"],
    [{ call: "read", data: "data", offset: 1, length: 2, bytes: "01ff" }, ["data", "1", "2"], "01ff"],
  ] satisfies [CallOfRecord, string[], unknown][])("has its arguments and its result: %j", (call, given, result) => {
    const nothing = { because: null, rule: null, signers: [], paths: [] };
    expect(of(call)).toEqual([{ event: "call", call: call.call, arguments: given, result, ...nothing }]);
  });

  it("has why a signature was accepted or rejected, and by which certificates", () => {
    const { verdict, reason: because, ...rest } = BAD;
    expect(of({ call: "verify_signature", ...SIGNED, verification: "bad" })).toEqual([
      {
        ...{ event: "call", call: "verify_signature", arguments: ["data", "signature", '"k"', "PKCS7"] },
        ...{ result: verdict, because, ...rest },
      },
    ]);
    expect(of({ call: "signer_of", ...SIGNED, verification: "good" })).toMatchObject([
      { result: SIGNER, because: GOOD.reason, rule: null, signers: [SIGNER], paths: [PATH] },
    ]);
    expect(of({ call: "signer_of_program", keyring: "k", verification: "bad" })).toMatchObject([
      { call: "signer_of", result: null, rule: BAD.rule, paths: [PATH] },
    ]);
    expect(of({ call: "verify_program", keyring: "k", verification: "good" })).toMatchObject([{ result: 0 }]);
  });

  it("lacks what its verification lacks, and what the log has no verification for", () => {
    expect(of({ call: "verify_program", keyring: "k", verification: "old" })).toMatchObject([{ paths: [] }]);
    expect(of({ call: "verify_program", keyring: "k", verification: "none" })).toMatchObject([
      { result: undefined, because: null, rule: null, signers: [], paths: [] },
    ]);
  });

  it("is shortened if its result is long", () => {
    const [{ result }] = of({ call: "map_lookup", map: "m", key: "k", value: "x".repeat(10_000) }) as never as [
      { result: string },
    ];
    expect(result.length).toBeLessThan(2100);
    expect(result).toMatch(/\(10002 characters\)$/);
  });

  it("is left out if it is none", () => {
    expect(of(null, 7, "map_lookup", {}, { call: "toString" }, { call: "__proto__" }, { call: 7 })).toEqual([]);
    for (const calls of [undefined, null, {}, "calls", 7]) expect(recordedCalls(calls, verification)).toEqual([]);
  });
});
