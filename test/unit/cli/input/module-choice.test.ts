import { describe, expect, it } from "vitest";
import { CHOICES, leavesOpen, moduleChoice, requireChoice } from "../../../../src/cli/input/module-choice.js";
import { parseModuleNames, writeModuleNames } from "../../../../src/cli/kernel/modules/module-names.js";
import { SET_NAMES } from "../../../../src/cli/kernel/modules/module-sets.js";
import { CountersignError } from "../../../../src/error.js";

function thrownBy(call: () => unknown): CountersignError {
  try {
    call();
  } catch (error) {
    if (error instanceof CountersignError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("the choice of modules", () => {
  it("has to be made: the error has each choice, and what it leaves open", () => {
    const error = thrownBy(() => requireChoice(undefined));
    expect(error).toMatchObject({ code: "SEAL_MODULES_UNCHOSEN", place: "--modules" });
    for (const { written, leavesOpen: open } of Object.values(CHOICES))
      expect(error.remedy).toContain(`\`${written}\`: ${open}`);
    for (const set of SET_NAMES) expect(error.remedy).toContain(set);
  });

  it.each([
    [["all-signed"], { kind: "all-signed" }],
    [["present"], { kind: "list", byTicket: false, present: true, sets: [], files: [] }],
    [["present+usb+tc"], { kind: "list", byTicket: false, present: true, sets: ["usb", "tc"], files: [] }],
    [
      ["present+usb", "present+usb", "a"],
      { kind: "list", byTicket: false, present: true, sets: ["usb"], files: ["a"] },
    ],
    [
      ["presents", "./present"],
      { kind: "list", byTicket: false, present: false, sets: [], files: ["presents", "./present"] },
    ],
    [["by-ticket"], { kind: "list", byTicket: true, present: false, sets: [], files: [] }],
    [["a", "present+usb", "by-ticket"], { kind: "list", byTicket: true, present: true, sets: ["usb"], files: ["a"] }],
    [["./by-ticket"], { kind: "list", byTicket: false, present: false, sets: [], files: ["./by-ticket"] }],
  ])("%j", (values, choice) => {
    expect(moduleChoice(values)).toEqual(choice);
  });

  it.each([
    [["all-signed", "present"]],
    [["all-signed", "by-ticket"]],
    [["present+"]],
    [["present+usb+"]],
    [["present+printers"]],
  ])("is rejected: %j", (values) => {
    expect(thrownBy(() => moduleChoice(values))).toMatchObject({ code: "USAGE", place: "--modules" });
  });

  it("leaves something else open for each", () => {
    const choices = [["all-signed"], ["a"], ["present"], ["present", "by-ticket"]];
    const open = choices.map((values) => leavesOpen(moduleChoice(values)));
    expect(new Set(open).size).toBe(4);
  });
});

describe("a file of module names", () => {
  it("has names, paths and comments", () => {
    expect(parseModuleNames("# mine\next4 # disk\n\n  nf-tables\n./extra/a.ko\n/opt/modules/\r\n", "f")).toEqual([
      { text: "ext4", isPath: false },
      { text: "nf-tables", isPath: false },
      { text: "./extra/a.ko", isPath: true },
      { text: "/opt/modules/", isPath: true },
    ]);
  });

  it.each(["two words", "a;b", "ext4\u0000", "x".repeat(57), "\u0435xt4"])("rejects %j with its line", (line) => {
    expect(thrownBy(() => parseModuleNames(`ext4\n${line}\n`, "f"))).toMatchObject({
      code: "SEAL_MODULES_MALFORMED",
      place: "f:2",
    });
  });

  it("is read as it was written", () => {
    const names = [
      { name: "a", why: "loaded" },
      { name: "longer", why: "" },
    ];
    const text = writeModuleNames("title", names);
    expect(text).toBe("# title\na       # loaded\nlonger\n");
    expect(parseModuleNames(text, "f").map(({ text: name }) => name)).toEqual(["a", "longer"]);
  });
});
