export { MAX_INPUT, readInput } from "../input.js";
