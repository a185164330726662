/** For contents that no compiler and linker write. */
export const REBUILD = "build the object again, or fetch it again if it was copied";

/** For contents that may be of a later format. */
export const NEWER_FORMAT =
  "use a newer countersign; or build the object with an older compiler; or fetch it again if it was copied";

/** For an object that is larger than this package reads. */
export const TOO_LARGE = "split the object into smaller ones: countersign reads no larger one";
