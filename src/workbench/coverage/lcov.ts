import { type CountedPoint, type Coverage, countsByLine } from "./coverage.js";

/** Coverage as a tracefile of lcov (geninfo(1)): a count is the number of cases that reached a line or branch. */
export function lcov(coverage: Coverage): string {
  return Array.from(coverage.points, ([file, points]) => recordOf(file, points)).join("");
}

function recordOf(file: string, points: readonly CountedPoint[]): string {
  const lines = [...countsByLine(points)].sort(([left], [right]) => left - right);
  const branches = points.filter(({ branch }) => branch !== null);
  const groups = [...new Set(branches.map(({ branch }) => branch!.group))];
  const reachedGroups = new Set(branches.filter(({ count }) => count > 0).map(({ branch }) => branch!.group));
  const numbers = new Map<number, number>();
  const records = branches.map(({ line, branch, count }) => {
    const { group } = branch!;
    const number = numbers.get(group) ?? 0;
    numbers.set(group, number + 1);
    // `-` says that the place itself was never reached
    return `BRDA:${line},${groups.indexOf(group)},${number},${reachedGroups.has(group) ? count : "-"}`;
  });
  return `${[
    "TN:",
    // A line break would end the record
    `SF:${file.replace(/[\r\n]/g, " ")}`,
    ...records,
    `BRF:${branches.length}`,
    `BRH:${branches.filter(({ count }) => count > 0).length}`,
    ...lines.map(([line, count]) => `DA:${line},${count}`),
    `LF:${lines.length}`,
    `LH:${lines.filter(([, count]) => count > 0).length}`,
    "end_of_record",
  ].join("\n")}\n`;
}
