/** For gates, which open the folders of signatures themselves. */
export { statementNames } from "../../trust/store.js";
