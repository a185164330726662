// The rules of the table of doors (door-table.mjs), for scripts/arrows.mjs.
import { crossings, topFolder } from "./names.mjs";

/** Imports that go past the doors, rows of the table that are not as the code is, and figures that differ. */
export function closedDoors(modules, doors) {
  const uses = usesOf(modules);
  const commands = commandsOfFiles(modules);
  const found = [];
  for (const [path, { users, imports }] of uses) {
    const folder = topFolder(path);
    if (isDeclared(doors[folder], path)) continue;
    const { from, line } = imports[0];
    const row = rowText(rowOf([...users], commands.get(path)));
    found.push(`${from}:${line}: \`${path}\` is no door of \`${folder}\`; import a door, or add it to ${row}`);
  }
  for (const [folder, door] of Object.entries(doors)) {
    found.push(...wrongRows(folder, door, uses, commands));
    const ofFolder = [...uses].filter(([path]) => topFolder(path) === folder);
    const names = ofFolder.reduce((sum, [, use]) => sum + use.names.size, 0);
    found.push(...figure(folder, "files", door.files, ofFolder.length), ...figure(folder, "names", door.names, names));
  }
  return found;
}

/** The files that other top folders use: by path `{ users, names, imports }`. */
function usesOf(modules) {
  const uses = new Map();
  for (const { path, line, target, names } of crossings(modules)) {
    if (!uses.has(target)) uses.set(target, { users: new Set(), names: new Set(), imports: [] });
    const use = uses.get(target);
    use.users.add(topFolder(path));
    use.imports.push({ from: path, line });
    for (const name of names) use.names.add(name);
  }
  return uses;
}

/** The rows of a folder's doors, each with the path of its files. */
function rowsOf(folder, { shared = [], only = {}, cli = {} }) {
  const paths = (files) => files.map((file) => `src/${folder}/${file}.ts`);
  return [
    { row: "shared", files: paths(shared) },
    ...Object.entries(only).map(([user, { files }]) => ({ row: `only.${user}`, files: paths(files) })),
    ...Object.entries(cli).map(([of, files]) => ({ row: `cli.${of}`, files: paths(files) })),
  ];
}

function isDeclared(door, path) {
  return door !== undefined && rowsOf(topFolder(path), door).some(({ files }) => files.includes(path));
}

/** The row that a file belongs to, by the top folders and the commands that use it. */
function rowOf(users, commands) {
  if (users.length > 1) return "shared";
  return users[0] === "cli" ? `cli.${[...(commands ?? [])].sort().join(", ")}` : `only.${users[0]}`;
}

const rowText = (row) => `its row \`${row}\` in scripts/arrows/door-table.mjs`;

function wrongRows(folder, door, uses, commands) {
  const found = [];
  const seen = new Set();
  for (const { row, files } of rowsOf(folder, door))
    for (const path of files) {
      const use = uses.get(path);
      if (seen.has(path)) found.push(`${path}: is twice in the doors of \`${folder}\``);
      seen.add(path);
      if (use === undefined) {
        found.push(`${path}: is a door of \`${folder}\` that no other top folder uses; take it out of ${rowText(row)}`);
        continue;
      }
      const right = rowOf([...use.users], commands.get(path));
      if (right !== row) found.push(`${path}: is in row \`${row}\`, and its users are those of ${rowText(right)}`);
    }
  for (const [user, { because }] of Object.entries(door.only ?? {}))
    if (!because) found.push(`doors of \`${folder}\`: row \`only.${user}\` gives no reason`);
  return found;
}

/** A figure may only shrink, and the table says what it is: it cannot grow again to what it was. */
function figure(folder, what, stated, counted) {
  if (counted === stated) return [];
  const remedy = counted < stated ? "write this smaller figure into" : "it may not grow past that of";
  return [
    `other top folders use ${counted} ${what} of \`${folder}\`, not ${stated}; ${remedy} scripts/arrows/door-table.mjs`,
  ];
}

/** The commands, by their names, whose code imports a file: by path, a set. */
export function commandsOfFiles(modules) {
  const found = new Map();
  const table = "src/cli/commands.ts";
  for (const { target } of modules.get(table)?.imports.filter(({ isDynamic }) => isDynamic) ?? []) {
    const command = target.replace(/^.*\/|\.ts$/g, "");
    const seen = new Set([table]);
    const follow = (path) => {
      if (seen.has(path)) return;
      seen.add(path);
      found.set(path, (found.get(path) ?? new Set()).add(command));
      if (topFolder(path) === "cli") for (const { target: next } of modules.get(path)?.imports ?? []) follow(next);
    };
    follow(target);
  }
  return found;
}
