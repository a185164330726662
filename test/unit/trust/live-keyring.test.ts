import { describe, expect, it } from "vitest";
import { CountersignError } from "../../../src/error.js";
import { Authority } from "../../../src/trust/issuing/authority.js";
import { type KeyringRules, openKeyring } from "../../../src/trust/keyring.js";
import { LiveKeyring, PATIENCE, SETTLED } from "../../../src/trust/live-keyring.js";
import { SealedLists } from "../../../src/trust/sealed-lists.js";
import { file } from "../../support/trust.js";

const certificates = ["One", "Two"].map((subject) => Authority.create({ subject }).pem.certificate);
const rulesOf = (index: number): KeyringRules => ({
  trust: [file("ca.pem", certificates[index] as string)],
  revoked: { crls: [], certificates: [], digests: [] },
  usage: ["any"],
  validity: "ignore",
});

/** A source that a test turns by hand, and the keyring that follows it. */
function opened({ sealed = false } = {}) {
  const files = { state: { mark: "a", newest: 0 }, read: () => rulesOf(0) };
  const live = new LiveKeyring(
    openKeyring("k", rulesOf(0)),
    { state: () => files.state, read: () => files.read(), lists: () => [] },
    rulesOf(0),
    files.state,
    sealed ? new SealedLists(rulesOf(0)) : null,
  );
  return { files, live };
}

describe("a live keyring", () => {
  it("takes a change once nothing has changed for a while", () => {
    const { files, live } = opened();
    expect(live.refresh(1_000)).toBeNull();
    files.state = { mark: "b", newest: 1_000 };
    files.read = () => rulesOf(1);
    expect(live.refresh(1_000 + SETTLED - 1)).toBeNull();
    expect(live.refresh(1_000 + SETTLED)).toEqual({ keyring: "k", generation: 2, error: null });
    expect(live.refresh(2_000)).toBeNull();
  });

  it("also takes files from a process that writes all the time, or whose clock is ahead", () => {
    const { files, live } = opened();
    files.read = () => rulesOf(1);
    for (let now = 0; now < PATIENCE; now += 50) {
      files.state = { mark: `at ${now}`, newest: now + 10_000 };
      expect(live.refresh(now)).toBeNull();
    }
    expect(live.refresh(PATIENCE)).toMatchObject({ generation: 2 });
  });

  it("takes nothing that changed while it was read", () => {
    const { files, live } = opened();
    files.state = { mark: "b", newest: 0 };
    files.read = () => {
      files.state = { mark: "c", newest: 0 };
      return rulesOf(1);
    };
    expect(live.refresh(1_000)).toBeNull();
    expect(live.keyring.generation).toBe(1);
    files.read = () => rulesOf(1);
    expect(live.refresh(1_250)).toMatchObject({ generation: 2 });
  });

  it("keeps its generation if the contents of the files are the same", () => {
    const { files, live } = opened();
    files.state = { mark: "b", newest: 0 };
    expect(live.refresh(1_000)).toBeNull();
    expect(live.keyring.generation).toBe(1);
  });

  it("keeps the previous files if the new ones cannot be used, and counts and reports it once", () => {
    const { files, live } = opened();
    files.state = { mark: "b", newest: 0 };
    files.read = () => ({ ...rulesOf(0), usage: ["codeSining"] });
    expect(live.refresh(1_000)).toEqual({
      keyring: "k",
      generation: 1,
      error: expect.objectContaining({ code: "KEYRING_INVALID", place: "keyring `k`: usage" }),
    });
    expect(live.refresh(2_000)).toBeNull();
    expect(live.failures).toBe(1);
  });

  it("keeps the previous files after an internal error, and reports it", () => {
    const { files, live } = opened();
    files.state = { mark: "b", newest: 0 };
    files.read = () => {
      throw new TypeError("a mistake");
    };
    expect(live.refresh(1_000)).toMatchObject({ generation: 1, error: { code: "INTERNAL" } });
  });

  it("does not change while it is sealed, and says so", () => {
    const { files, live } = opened({ sealed: true });
    files.state = { mark: "b", newest: 0 };
    files.read = () => rulesOf(1);
    const change = live.refresh(1_000);
    expect(change?.error).toBeInstanceOf(CountersignError);
    expect(change).toMatchObject({ generation: 1, error: { message: "is sealed, and its files have changed" } });
  });
});
