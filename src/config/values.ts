import * as z from "zod";

/** A path in the configuration, relative to its file. */
export const path = z
  .string()
  .min(1, { error: "is empty; name a file or folder" })
  .refine((text) => !text.includes("\0"), { error: "contains a NUL; remove it" });

export const paths = z.array(path);
