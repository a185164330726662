import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";

/**
 * Fills a folder that is kept between runs, if it is not there. Other tests may do so at the same time: each fills one
 * of its own, and the first that is whole stays.
 */
export function fillOnce(folder: string, fill: (work: string) => void): void {
  if (existsSync(folder)) return;
  const work = `${folder}.${process.pid}.part`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    fill(work);
    if (!existsSync(folder)) renameSync(work, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
