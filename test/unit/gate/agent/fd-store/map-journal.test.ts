import { beforeEach, describe, expect, it } from "vitest";
import type { Config } from "../../../../../src/config/config.js";
import { Journal } from "../../../../../src/gate/agent/fd-store/journal.js";
import { MapJournal } from "../../../../../src/gate/agent/fd-store/map-journal.js";
import type { AttachmentWrites } from "../../../../../src/gate/messages/messages.js";
import { NotifySocket } from "../../../../support/notify-socket.js";

type MapsConfig = Pick<Config, "maps" | "attachments">;
const mapOf = (name: string, entries = 10) => ({
  ...{ name, place: "", file: null, writable: { entries, bytes: 1024 }, writers: null },
});
const configOf = (more: Partial<Record<"maps" | "attachments", unknown>> = {}): MapsConfig =>
  ({ maps: [mapOf("counts"), mapOf("seen")], attachments: [{ name: "a", mode: "enforce" }], ...more }) as MapsConfig;
const writesTo = (map: string, value: string): AttachmentWrites => ({
  ...{ attachment: "a", mode: "enforce", writes: [{ map, key: "k", value }] },
});

describe("the journal of writes to maps", () => {
  let store: NotifySocket;
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    store = new NotifySocket();
  });

  const journalOf = (config = configOf(), latest: readonly AttachmentWrites[] = [], kept: readonly number[] = []) =>
    new MapJournal(store.manager(kept.length === 0 ? {} : { maps: kept }), config, new Map(), () => latest);
  const texts = () => store.received().map(({ text }) => text);
  /** The fds of a journal with these writes, as the service manager keeps them. */
  const stored = (...writes: readonly AttachmentWrites[]): readonly number[] => {
    const journal = journalOf();
    for (const each of writes) journal.record([each]);
    return store.received()[0]!.fds;
  };

  it("is stored at the first write, and replayed by the next agent in the same order", () => {
    const fds = stored(writesTo("counts", "1"), writesTo("seen", "2"));
    expect(fds).toHaveLength(1);
    const next = journalOf(configOf(), [], fds);
    expect(next.restore()).toEqual([writesTo("counts", "1"), writesTo("seen", "2")]);
    expect(texts()).toEqual(["FDSTOREREMOVE=1\nFDNAME=maps"]);
    expect(journalOf().restore()).toEqual([]);
  });

  it.each<[string, MapsConfig, readonly AttachmentWrites[]]>([
    ["a map has other limits", configOf({ maps: [mapOf("counts", 11), mapOf("seen")] }), [writesTo("seen", "2")]],
    ["a map is no longer configured", configOf({ maps: [mapOf("seen")] }), [writesTo("seen", "2")]],
    ["the attachment has another mode", configOf({ attachments: [{ name: "a", mode: "audit" }] }), []],
    ["there is no such attachment", configOf({ attachments: [] }), []],
  ])("is replayed only as far as its configuration is the same: %s", (_, config, writes) => {
    const fds = stored(writesTo("counts", "1"), writesTo("seen", "2"));
    expect(journalOf(config, [], fds).restore()).toEqual(writes);
  });

  it("gives up the entries of a map of which one breaks its schema now, or is kept with `on_invalid: stop`", () => {
    const schema = { values: { type: "string" } };
    const said: string[] = [];
    const configured = (more: object) => configOf({ maps: [{ ...mapOf("counts"), schema, ...more }, mapOf("seen")] });
    const fds = stored(writesTo("counts", "1"), writesTo("seen", "2"));
    const stopping = journalOf(configured({ onInvalid: "stop" }), [], fds);
    texts();
    expect(() => stopping.restore()).toThrow("keeps entries that break its schema: the value of `k` is number");
    expect(texts()).toEqual([]);
    const giving = journalOf(configured({}), [], fds);
    expect(giving.restore(({ code }) => said.push(code))).toEqual([writesTo("seen", "2")]);
    expect([said, stopping.givenUp, giving.givenUp]).toEqual([["MAP_INVALID"], 0, 1]);
  });

  it("is replayed if what broke the schema was overwritten", () => {
    const config = configOf({ maps: [{ ...mapOf("counts"), schema: { values: { type: "string" } } }] });
    const both = [writesTo("counts", "1"), writesTo("counts", '"a"')];
    expect(journalOf(config, [], stored(...both)).restore()).toEqual(both);
  });

  it("is not replayed if its first line is none of ours", () => {
    const journal = Journal.create("countersign-maps", 0, "[", 1000)!;
    journal.add(['[1,"a","enforce",[["counts","k","1"]]]', "no line"]);
    expect(journalOf(configOf(), [], [journal.fd]).restore()).toEqual([]);
  });

  it("is reduced to the latest writes when it is full, and given up if those are too many", { tags: ["deep"] }, () => {
    const large = writesTo("counts", JSON.stringify("x".repeat(15 * 1024 * 1024)));
    const latest: AttachmentWrites[] = [writesTo("counts", "7")];
    const journal = journalOf(configOf(), latest);
    journal.record([large]);
    journal.record([large]);
    const [{ fds } = { fds: [] }] = store.received();
    expect(journalOf(configOf(), [], fds).restore()).toEqual(latest);
    texts();
    latest.push(large, large);
    journal.record([large]);
    journal.record([large]);
    expect(texts()).toEqual(["FDSTOREREMOVE=1\nFDNAME=maps"]);
    journal.record([writesTo("counts", "8")]);
    expect(texts()).toEqual([]);
    journal.reset(configOf(), new Map());
    journal.record([writesTo("counts", "9")]);
    expect(texts()).toEqual(["FDSTORE=1\nFDNAME=maps"]);
  });

  it("is discarded with its configuration", () => {
    const journal = journalOf();
    journal.record([writesTo("counts", "1")]);
    journal.reset(configOf(), new Map());
    expect(texts()).toEqual(["FDSTORE=1\nFDNAME=maps", "FDSTOREREMOVE=1\nFDNAME=maps"]);
  });

  it("is not begun without a service manager", () => {
    store.close();
    const journal = journalOf();
    journal.record([writesTo("counts", "1")]);
    journal.reset(configOf(), new Map());
    expect(journal.restore()).toEqual([]);
  });
});
