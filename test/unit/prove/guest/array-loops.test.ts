import { describe, expect, it } from "vitest";
import { endsOfBody } from "../../../support/explored-bodies.js";

/** The short form has each method and each act at least once. */
const isLong = process.env.COUNTERSIGN_NIGHTLY === "1";
const ARRAY = "const a = [1, 2, 3, 4]; let n = 0;";
/** Calls of methods with a callback that does something first. */
const CALLS: Readonly<Record<string, (act: string) => string>> = {
  some: (act) => `return a.some((x, i) => { n += 1; ${act}; return x === undefined }) ? -99 : -n`,
  every: (act) => `return a.every((x, i) => { n += 1; ${act}; return x }) ? -n : -99`,
  find: (act) => `return -(a.find((x, i) => { n += 1; ${act}; return i === 2 }) ?? 50) - 100 * n`,
  findIndex: (act) => `return -a.findIndex((x, i) => { n += 1; ${act}; return x === 9 }) - 100 * n`,
  filter: (act) => `return -a.filter((x, i) => { n += 1; ${act}; return x > 2 }).join('') - n`,
  map: (act) => `return -a.map((x, i) => { n += 1; ${act}; return x })[3] - 10 * n`,
  forEach: (act) => `a.forEach((x, i) => { n += 10 + x; ${act} }); return -n`,
  reduce: (act) => `return -a.reduce((sum, x, i) => { ${act}; return sum + x }, 0)`,
  "reduce from the first": (act) => `return -a.reduce((sum, x, i) => { ${act}; return sum + x })`,
};
/** What a callback does to the array, and whether exploring decides that. */
const ACTS: Readonly<Record<string, readonly [act: string, isDecided: boolean]>> = {
  nothing: ["", true],
  "replaces the element": ["a[i] = 9", true],
  "replaces the next element": ["if (i < 3) a[i + 1] = 9", true],
  "replaces the last element": ["a[3] = 9", true],
  "makes it longer": ["if (i < 2) a.push(9)", false],
  "makes it longer by an assignment": ["if (i < 2) a[a.length] = 9", false],
  "makes it shorter": ["if (i < 2) a.pop()", false],
  "removes the first element": ["if (i === 1) a.shift()", false],
  "makes it longer and then shorter": ["if (i === 1) a.push(9); if (i === 4) a.pop()", false],
  "makes it shorter and then longer": ["if (i === 1) { a.pop(); a.pop(); } if (i === 2) a.push(9, 9)", false],
  "makes it longer and shorter at once": ["a.push(9); a.pop()", true],
};
const ARRAYS_WITH_HOLES = [
  "const a = []; a[2] = 1;",
  "const a = [1]; a[3] = 1;",
  "const a = [1, 2]; a['5'] = 1;",
  "const a = prog.rewritten ? [] : [1]; a[2] = 1;",
];
const OF_HOLES = [
  "a.every((x) => x === 1) ? -1 : -2",
  "a.some((x) => x === undefined) ? -1 : -2",
  "-a.reduce((sum) => sum + 1, 0)",
  "a.join() === ',,1' ? -1 : -2",
  "a.includes(undefined) ? -1 : -2",
  "-a.indexOf(undefined) - 5",
  "-a.findIndex((x) => x === undefined) - 5",
  "-a.map(() => 5).length",
  "a.concat([3]).every((x) => x) ? -1 : -2",
  "-a.filter(() => true).length",
];

describe("methods of arrays that call a function", () => {
  it.each(Object.entries(ACTS))("the function %s", (_, [act, isDecided]) => {
    const bodies = Object.values(CALLS).map((call) => `(() => { ${ARRAY} ${call(act)} })()`);
    if (isDecided) {
      expect(endsOfBody(`return deny([${bodies}].join(), 5)`)).toEqual([-5]);
      return;
    }
    const number = Object.keys(ACTS).findIndex((name) => ACTS[name]![0] === act);
    for (const [index, body] of bodies.entries())
      if (isLong || index % Object.keys(ACTS).length === number % bodies.length)
        expect(endsOfBody(`return ${body}`)).toEqual(["not decided"]);
  });

  it.each(OF_HOLES)("leave holes out, which are not decided: %s", (expression) => {
    for (const begin of isLong ? ARRAYS_WITH_HOLES : ARRAYS_WITH_HOLES.slice(-1))
      expect(endsOfBody(`${begin} return ${expression}`)).toContain("not decided");
  });

  it("decide an array that grows at its end", () => {
    expect(endsOfBody("const a = []; a[0] = 1; a[1] = 2; a[a.length] = 3; return -a.reduce((x, y) => x + y)")).toEqual([
      -6,
    ]);
  });
});

describe("loops over an array with values that it may have", () => {
  const FILTER = "const a = ['a', 'b', 'c', 'd', 'e'].filter((x) => x !== prog.name); let n = 0, t = '';";
  const LOOPS = [
    (act: string) => `for (const x of a) { ${act}; t += x; n += 1 }`,
    (act: string) => `a.forEach((x) => { ${act}; t += x; n += 1 });`,
    (act: string) => `a.some((x) => { ${act}; t += x; n += 1; return x === 'q' });`,
    (act: string) => `a.every((x) => { ${act}; t += x; n += 1; return x !== 'q' });`,
    (act: string) => `t += a.find((x) => { ${act}; n += 1; return x === 'q' });`,
  ];

  it("are not changed by what comes after them in a literal", { tags: ["deep"] }, () => {
    for (const later of ["a.push('q')", "a.pop()", "(a[0] = 'q')"])
      expect(endsOfBody(`${FILTER} return deny([...a, ${later}, ...a].join(), 5)`)).not.toContain("not decided");
  });

  it.each([
    ["if (n < 3) a.push('q')", false],
    ["a.pop()", false],
    ["a.shift()", false],
    ["a[3] = 'q'", false],
    ["a[a.length] = 'q'", false],
    ["const b = [...a]; b.push('q'); b[0] = 'q'", true],
    ["t += a[1] + a.length", true],
    ["a.push('q'); a.pop()", true],
  ])("notice that it changes: %s", (act, isDecided) => {
    for (const loop of LOOPS) {
      const ends = endsOfBody(`${FILTER} ${loop(act)} return deny(t + n + a.join(), 5)`);
      if (isDecided) expect(ends).not.toContain("not decided");
      else expect(ends).toContain("not decided");
    }
  });
});

/** Values that `concat` gets, and how many elements they are. */
const KNOWN: readonly (readonly [value: string, count: number])[] = [
  ...([5, "'ab'", "undefined", "{ length: 3 }", "() => 1", "prog", "prog.insns", "prog.name"] as const).map(
    (value) => [String(value), 1] as const,
  ),
  ...[["current.container", 1] as const, ["new Set([1, 2])", 1] as const, ["[]", 0] as const],
  ...[["[1, [2]]", 2] as const, ["Object.values({ a: 1, b: 2 })", 2] as const],
];
const LISTS = [
  "prog.helpers",
  "prog.maps.filter((m) => m.name === 'a')",
  "prog.maps.slice(1)",
  "(([, ...b]) => b)(prog.helpers)",
  "prog.name.split('/')",
  "map_lookup('program_budget', 'x')",
  "[prog.name, 'a', 'b', 'c'].filter((x) => x !== 'a')",
];

describe("concat", () => {
  it("takes values that are known", () => {
    const counts = KNOWN.map(([value]) => `[7].concat(${value}).length`);
    const right = KNOWN.map(([, count]) => 1 + count).join();
    expect(new Set(endsOfBody(`return [${counts}].join() === '${right}' ? -1 : -2`))).toEqual(new Set([-1]));
  });

  it.each(LISTS)("of a list that is not known, or that is not decided: %s", { tags: ["deep"] }, (value) => {
    endsOfBody(`const n = [7].concat(${value}).length; return n > 9 ? -9 : -n`, 3, 40);
    endsOfBody(`return [7].concat(prog.maps, ${value}).length > 2 ? -1 : -2`, 7, 40);
  });
});
