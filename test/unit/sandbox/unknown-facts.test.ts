import { describe, expect, it } from "vitest";
import { ENGINES, type EngineName, engineCode } from "../../support/engines.js";
import { Guest, type Question } from "../../support/guest.js";

const CONTAINER = {
  id: "c",
  name: null,
  labels: { tier: "edge", constructor: "label", toJSON: "label" },
  annotations: {},
};
const SUBJECT = {
  name: "b",
  digest: "d",
  data: Uint8Array.of(1, 2, 3),
  signature: null,
  effects: { redirects: true },
  helpers: ["a", "b"],
  none: [],
  maps: [{ name: "m", max_entries: 1 }],
  /** Too long for the guest to share it between subjects, so that it is built in another way. */
  long: Array.from({ length: 400 }, (_, index) => ({ index })),
};

/** Expressions that read what does not exist, with the name that the fault tells, and what it suggests. */
const UNKNOWN: readonly (readonly [read: string, name: string, meant?: string])[] = [
  ["blob.efects", "efects", "effects"],
  ["blob.efects?.redirects", "efects", "effects"],
  ["blob?.efects", "efects", "effects"],
  ["blob['efects']", "efects", "effects"],
  ["blob['ef' + 'ects']", "efects", "effects"],
  ["blob.effects.redirect", "redirect", "redirects"],
  ["(({ efects }) => efects)(blob)", "efects", "effects"],
  ["(({ efects = 1 }) => efects)(blob)", "efects", "effects"],
  ["(({ effects: { redirect = true } }) => redirect)(blob)", "redirect", "redirects"],
  ["(({ ['redirect']: x = true }) => x)(blob.effects)", "redirect", "redirects"],
  ["(([{ max_entrys }]) => max_entrys)(blob.maps)", "max_entrys", "max_entries"],
  ["(({ efects, ...rest }) => rest)(blob)", "efects", "effects"],
  ["blob.helpers.lenght", "lenght", "length"],
  ["blob.helpers.include?.('a')", "include", "includes"],
  ["blob.helpers[-1]", "-1"],
  ["blob.helpers[0.5]", "0.5"],
  ["blob.helpers['01']", "01"],
  ["blob.helpers[4294967295]", "4294967295"],
  ["blob.none.lenght", "lenght", "length"],
  ["blob.maps[0].max_entrys", "max_entrys", "max_entries"],
  ["blob.maps.find((map) => map.max_entrys)", "max_entrys", "max_entries"],
  ["blob.maps.filter((map) => map.max_entries === 1)[0].nmae", "nmae", "name"],
  ["blob.long[399].indx", "indx", "index"],
  ["blob.data.lenght", "lenght", "length"],
  ["[signer_of(blob.data, blob.data, 'k', 'RAW')].at(0).subjct", "subjct", "subject"],
  ["read(blob.data, 0, 2).lenght", "lenght", "length"],
  ["current.user", "user"],
  ["current['usr']", "usr"],
  ["current.capabilities.lenght", "lenght", "length"],
  ["current.container.lables", "lables", "labels"],
  ["(({ container: { lables = {} } }) => lables)(current)", "lables", "labels"],
  // what Object.prototype has elsewhere
  ["blob.__proto__", "__proto__"],
  ["blob.__defineGetter__", "__defineGetter__"],
  ["blob.then", "then"],
  ["Object.create(blob).efects", "efects"],
  ["Array.from(blob)", "length"],
  ["String.raw(blob)", "raw"],
];

/** Expressions that are true, since nothing about facts is other than about any object. */
const UNAFFECTED: readonly string[] = [
  "!('efects' in blob) && 'effects' in blob && 'toString' in blob",
  "!(9 in blob.helpers) && 0 in blob.helpers",
  "!Object.hasOwn(blob, 'efects') && Object.hasOwn(blob, 'effects')",
  "blob.hasOwnProperty('effects') && !blob.hasOwnProperty('toString')",
  "Object.getOwnPropertyDescriptor(blob, 'efects') === undefined",
  "Object.keys(blob).length === 9 && Object.values(blob).length === 9 && Object.entries(blob)[0][1] === 'b'",
  "Object.keys(blob.helpers).join() === '0,1'",
  "({ ...blob }).efects === undefined && ({ ...blob }).name === 'b'",
  "(({ name, ...rest }) => rest.efects === undefined && rest.digest === 'd')(blob)",
  "[...blob.helpers, ...blob.none].join() === 'a,b' && Math.max(...blob.helpers.map((x) => x.length)) === 1",
  "((first, ...rest) => rest.length === 1)(...blob.helpers)",
  "(([first, second, third = 'c']) => first + second + third)(blob.helpers) === 'abc'",
  "(() => { let all = ''; for (const one of blob.helpers) all += one; return all; })() === 'ab'",
  "(() => { let all = 0; for (const key in blob) all++; return all; })() === 9",
  "new Set(blob.helpers).has('a') && new Map(blob.helpers.entries()).get(1) === 'b' && Array.from(blob.helpers).length === 2",
  `JSON.stringify(blob.effects) === '{"redirects":true}' && JSON.stringify(blob.helpers) === '["a","b"]'`,
  `JSON.stringify({ blob }).startsWith('{"blob":{"name":"b","digest":"d","data":{"length":3},')`,
  "String(blob) === '[object Object]' && String(blob.helpers) === 'a,b' && blob.helpers + '' === 'a,b' && String(current) !== ''",
  "blob.toString() === '[object Object]' && blob.valueOf() === blob && blob.helpers.toString() === 'a,b'",
  "Object.prototype.toString.call(blob) === '[object Object]' && Object.prototype.toString.call([]) === '[object Array]'",
  "blob[Symbol.iterator] === undefined && blob[Symbol.toPrimitive] === undefined && blob.helpers[Symbol.species] === undefined",
  "blob.toJSON === undefined",
  "blob.helpers[0] === 'a' && blob.helpers[2] === undefined && blob.none[0] === undefined && blob.helpers['1'] === 'b'",
  "blob.helpers[4294967294] === undefined && blob.helpers.at(-1) === 'b' && blob.helpers.at(9) === undefined",
  "blob.helpers.includes('a') && blob.helpers.indexOf('b') === 1 && blob.helpers.concat(blob.none, 'c').length === 3",
  "blob.helpers.slice().lenght === undefined && blob.helpers.map((x) => x).efects === undefined",
  "blob.maps.some((map) => map.max_entries === 1) && blob.maps.flatMap(({ name }) => name)[0] === 'm'",
  "blob.helpers.toSorted((a, b) => (a < b ? 1 : -1))[0] === 'b' && blob.helpers.with(0, 'z')[0] === 'z'",
  "blob.helpers.hasOwnProperty(0) && blob.helpers.valueOf() === blob.helpers && blob.helpers.isPrototypeOf(blob) === false",
  "Array.isArray(blob.helpers) && blob.helpers.constructor === Array && blob.constructor === Object",
  "blob instanceof Object && blob.helpers instanceof Array && blob.helpers instanceof Object && !(blob instanceof Array)",
  "Object.isFrozen(blob) && Object.isFrozen(blob.helpers) && Object.isFrozen(blob.long[3]) && Object.isFrozen(current)",
  "Object.assign({}, blob).efects === undefined && JSON.parse(JSON.stringify(blob)).efects === undefined",
  "Object.groupBy(blob.maps, ({ name }) => name).m.length === 1",
  "typeof blob === 'object' && blob.data.length === 3 && hash('sha256', blob.data) === '00'",
  "Object.is(current.container, current.container) && current.container.name === null && current.uid === 0",
  // records with free keys have these keys alone, whatever they are
  "current.container.labels.none === undefined && current.container.labels.toString === undefined",
  "current.container.labels.constructor === 'label' && current.container.labels.toJSON === 'label'",
  "current.container.annotations.constructor === undefined && current.container.annotations.__proto__ === undefined",
  "current.namespaces.valueOf === undefined && Object.getPrototypeOf(current.namespaces) === null",
  "Object.isFrozen(current.container.labels) && Object.keys(current.container.labels)[0] === 'tier'",
  // what the configuration's maps hold is data, and no fact
  "map_lookup('m', 'k').none === undefined && map_lookup('m', 'k').list.none === undefined",
];

const SIGNER = { subject: "CN=Signer", key_id: "ab", serial: "03eb", issuer: "CN=Root" };

/** The linker does not follow the subject into a second function: what is read there is left to the sandbox. */
const policy = (body: string) => `import { hash, map_lookup, read, signer_of } from "countersign";
function check(blob, current) {
${body}
}
export const blob_verify = (blob, current) => check(blob, current);`;

const ask = (guest: Guest, body: string, question: Question = {}) =>
  guest.ask(policy(body), {
    subject: SUBJECT,
    current: { container: CONTAINER, namespaces: { net: 1 } },
    functions: { map_lookup: () => ({ list: [1] }), hash: () => "00", signer_of: () => SIGNER },
    ...question,
  });

describe.each(Object.keys(ENGINES) as EngineName[])("a fact on %s", (name) => {
  const guest = new Guest({ code: engineCode(name) });

  it.each(UNKNOWN)("that does not exist is a fault: %s", (read, fact, meant) => {
    const message = `read the fact \`${fact}\`, which does not exist${meant === undefined ? "" : ` (did you mean \`${meant}\`?)`}`;
    const bodies = [
      `\n${read};\nreturn 0;`,
      `\ntry { ${read}; } catch {}\nreturn 0;`,
      `\nreturn ((() => { try { try { return ${read}; } finally { 0; } } catch {} return 0; })());`,
      `\nlet x = 0; try { x = ${read} } catch (error) { x = error; }\nreturn x === undefined ? -13 : 0;`,
    ];
    for (const body of bodies)
      expect(ask(guest, body), body).toMatchObject({
        verdict: null,
        reason: null,
        fault: { code: "UNKNOWN_FACT", message, place: expect.stringMatching(/^policy\.js:4:\d+$/) },
      });
  });

  it.each(UNAFFECTED)("is as any object: %s", (expression) => {
    expect(ask(guest, `return (${expression}) === true ? 0 : -1;`)).toMatchObject({ verdict: 0, fault: null });
  });

  it("that does not exist is reported for the first such read", () => {
    const body = "for (const key of ['first', 'second']) try { blob[key]; } catch {}\nreturn -1;";
    expect(ask(guest, body).fault).toMatchObject({ code: "UNKNOWN_FACT", message: expect.stringContaining("`first`") });
  });

  it("that does not exist is a fault of one decision, and of no other", () => {
    const body = "if (current.uid === 7) try { blob.efects; } catch {}\nreturn 0;";
    for (const uid of [0, 7, 0, 7, 7, 0])
      expect(ask(guest, body, { current: { uid } }).fault?.code ?? null, `${uid}`).toBe(
        uid === 7 ? "UNKNOWN_FACT" : null,
      );
  });

  it("that does not exist is reported instead of a limit that the policy exceeded afterwards", () => {
    const limits = { steps: 1000 };
    const body = "try { blob.efects; } catch {}\nfor (;;);";
    expect(ask(guest, body, { limits }).fault).toMatchObject({ code: "UNKNOWN_FACT" });
  });

  it("that does not exist is reported in one line, however long its name is", () => {
    const { fault } = ask(guest, "blob['x'.repeat(100_000)];\nreturn 0;");
    expect(fault).toMatchObject({
      code: "UNKNOWN_FACT",
      message: expect.stringContaining("a text of 100000 characters"),
    });
  });
});
