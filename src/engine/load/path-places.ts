/** For gates, which open the paths of a configuration themselves. */
export { placing } from "../../config/path-places.js";
