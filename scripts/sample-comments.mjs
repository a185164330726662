// Prints comments of src/ that are drawn at random, for a reader who restates each in one sentence.
import { runSample, sourceFiles } from "./sample/command.mjs";
import { commentsOf } from "./sample/comments.mjs";

/** Comments of at most this length, such as the name of a section, explain nothing. */
const SHORT = 25;

runSample({
  what: `comments of src/ that are longer than ${SHORT} characters`,
  count: 150,
  help: `usage: node scripts/sample-comments.mjs [--seed HEX] [--count N] [--json]

Prints comments of src/ with their file, line and code. They are drawn at random, and each folder of src/ has its share.

  --seed HEX   8 hex digits; without it, the first 8 of the commit that is checked out
  --count N    the number of comments; 150 without it
  --json       print JSON`,
  items: () =>
    sourceFiles()
      .flatMap(({ file, text }) => commentsOf(file, text))
      .filter(({ comment }) => comment.length > SHORT),
  print: ({ comment, code }) => `${comment}\n\n${code.replace(/^/gm, "    ")}`,
});
