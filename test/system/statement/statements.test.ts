import { describe, expect, it } from "vitest";
import { btfOf, parseStatement, settingsOf, statementOf, withoutTarget } from "../../../src/bpf/statement.js";
import { embeddedObjects, type InstalledObject, objectFiles } from "../../support/real-objects.js";

/** Each object once: some programs embed the same one. */
function distinct(objects: readonly InstalledObject[]) {
  const found = new Map<string, { readonly name: string; readonly stated: ReturnType<typeof statementOf> }>();
  for (const { name, bytes } of objects) {
    const stated = statementOf(bytes);
    found.set(stated.statement.content.program.object.sha256, { name, stated });
  }
  return [...found.values()];
}

describe("the objects of libbpf-tools", () => {
  const tools = distinct(embeddedObjects("libbpf-tools"));

  it("have statements of all their programs, which name each attach target", () => {
    expect(tools).toHaveLength(57);
    const programs = tools.flatMap(({ stated }) => stated.statement.content.program.programs);
    expect(programs).toHaveLength(318);
    expect(programs.filter(({ type }) => type === 0)).toEqual([]);
    for (const { name, stated } of tools) expect(withoutTarget(stated.statement.content.program), name).toEqual([]);
  });

  it("have as settings the 165 variables that the tools change, and no other variable of .rodata", () => {
    const variables: string[] = [];
    const others: string[] = [];
    for (const { name, stated } of tools) {
      const { content } = stated.statement;
      const settings = settingsOf(content).filter(({ kind }) => kind === "variable");
      variables.push(...settings.map((setting) => setting.name));
      const named = new Set(settings.map((setting) => setting.name));
      for (const section of content.program.object.sections)
        if (section.name.startsWith(".rodata"))
          for (const variable of section.variables)
            if (!named.has(variable.name)) others.push(`${name}: ${variable.name}`);
    }
    expect(variables).toHaveLength(165);
    // `static const` values and format strings
    for (const other of others) expect(other).toMatch(/: (?:empty_event|\w+\.zero|\w+\.____fmt)$/);
  });

  it("leave the number of entries of 39 maps in 37 tools to be set", () => {
    const unsized = embeddedObjects("libbpf-tools").map(({ bytes }) => {
      const settings = settingsOf(statementOf(bytes).statement.content);
      return settings.filter(({ kind }) => kind === "max_entries").length;
    });
    expect(unsized.filter((count) => count > 0)).toHaveLength(37);
    expect(unsized.reduce((sum, count) => sum + count, 0)).toBe(39);
  });
});

describe.each([
  ["libbpf-tools", () => embeddedObjects("libbpf-tools")],
  ["xdp-tools and libxdp1", () => objectFiles("xdp-tools", "libxdp1")],
  ["programs of xdp-tools", () => embeddedObjects("xdp-tools")],
])("the statements of the objects of %s", (_, objects) => {
  it("are the same each time, read back as they were written, and have BTF that can be read", () => {
    for (const { name, bytes } of objects()) {
      const { bytes: signed, statement } = statementOf(bytes);
      expect(Buffer.from(statementOf(bytes).bytes).equals(signed), name).toBe(true);
      expect(parseStatement(signed), name).toEqual(statement);
      expect(btfOf(statement.content.program.object)!.count, name).toBeGreaterThan(1);
    }
  });
});
