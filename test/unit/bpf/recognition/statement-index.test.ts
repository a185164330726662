import { describe, expect, it } from "vitest";
import { sha256 } from "../../../../src/bpf/insn/digest.js";
import { StatedRelocator, StatementIndex } from "../../../../src/bpf/recognition.js";
import { contentOf, findIn, indexOf, kernelOf, loadOf, signed } from "../../../support/recognition.js";

const kernel = kernelOf();

/** A statement of another object whose programs are the same; `change` makes it miss. */
function other(number: number, change: (content: ReturnType<typeof contentOf>) => void = () => undefined) {
  const content = contentOf();
  content.program.object.sha256 = sha256(Buffer.from(`object ${number}`));
  change(content);
  return signed(content);
}

describe("the statements that a load matches", () => {
  it("are all found, however many others have the same instructions", { tags: ["deep"] }, () => {
    const others = Array.from({ length: 20 }, (_, at) => other(at, ({ program }) => (program.object.license = "MIT")));
    const same = Array.from({ length: 12 }, (_, at) => other(100 + at));
    const { matches, misses } = findIn(indexOf(kernel, ...others, ...same), loadOf("pass", kernel), "pass");
    expect(matches.map(({ statement }) => statement)).toEqual(same);
    expect(misses.every(({ property }) => property === "license")).toBe(true);
  });

  it("come with some of the misses, without more comparisons", { tags: ["deep"] }, () => {
    const named = Array.from({ length: 20 }, (_, at) => other(at, changePass));
    const { matches, misses } = findIn(indexOf(kernel, ...named), loadOf("pass", kernel), "pass");
    expect(matches).toEqual([]);
    expect(misses).toHaveLength(8);
    expect(new Set(misses.map(({ property }) => property))).toEqual(new Set(["insns"]));
    expect(misses[0]!.expected).toContain("0x4d");
  });

  it("are relocated once, those with the function's name first", () => {
    const relocated: number[] = [];
    const { relocate } = new StatedRelocator(kernel);
    const index = new StatementIndex([other(1), other(2)], (object, program) => {
      relocated.push(program);
      return relocate(object, program);
    });
    const load = loadOf("pass", kernel);
    const find = () =>
      index.find(
        load,
        "pass",
        () => null,
        () => false,
      );
    expect(find().matches).toHaveLength(2);
    const first = relocated.length;
    expect(find().matches).toHaveLength(2);
    expect(relocated).toHaveLength(first);
    index.forget();
    expect(find().matches).toHaveLength(2);
    expect(relocated).toHaveLength(2 * first);
  });

  it("are relocated again where many others were compared since, and only those that may match", {
    tags: ["deep"],
  }, () => {
    const { relocate } = new StatedRelocator(kernel);
    const content = contentOf();
    changePass(content);
    const many = Array.from({ length: 1_100 }, () => signed(content));
    const stated = other(1);
    let relocations = 0;
    const index = new StatementIndex([stated, ...many], (object, program) => {
      relocations += 1;
      return relocate(object, program);
    });
    for (const expected of [1_102, 0]) {
      relocations = 0;
      const { matches } = findIn(index, loadOf("pass", kernel), "pass");
      expect(matches.map(({ statement }) => statement)).toEqual([stated]);
      expect(relocations).toBe(expected);
    }
  });

  it("are relocated once where they are of one program, however many there are", { tags: ["deep"] }, () => {
    const { relocate } = new StatedRelocator(kernel);
    const content = contentOf();
    let relocations = 0;
    const index = new StatementIndex(
      Array.from({ length: 1_100 }, () => signed(content)),
      (object, program) => {
        relocations += 1;
        return relocate(object, program);
      },
    );
    expect(findIn(index, loadOf("pass", kernel), "pass").matches).toHaveLength(1_100);
    relocations = 0;
    expect(findIn(index, loadOf("pass", kernel), "pass").matches).toHaveLength(1_100);
    expect(relocations).toBe(0);
  });
});

/** Changes the constant of the program's last assignment that is not relocated. */
function changePass({ program }: ReturnType<typeof contentOf>): void {
  const pass = program.programs.find(({ name }) => name === "pass")!;
  const insns = Buffer.from(pass.insns, "base64");
  const relocated = new Set(pass.relocations.map(({ slot }) => 8 * slot));
  let at = insns.length - 8;
  while ((insns[at] !== 0xb4 && insns[at] !== 0xb7) || relocated.has(at)) at -= 8;
  insns.writeInt32LE(77, at + 4);
  pass.insns = insns.toString("base64");
}
