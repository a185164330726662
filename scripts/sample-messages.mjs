// Prints error messages of src/ that are drawn at random, for a reader who says what each means and what to do.
import { runSample, sourceFiles } from "./sample/command.mjs";
import { messagesOf } from "./sample/messages.mjs";

runSample({
  what: "error messages of src/",
  count: 60,
  help: `usage: node scripts/sample-messages.mjs [--seed HEX] [--count N] [--json]

Prints error messages of src/ with their code and remedy. They are drawn at random, and each folder of src/ has its
share. \${name} is a value that is known only at run time, {a | b} is one of two texts. Countersign prints the place, such
as a file or a key, before the message: a message without a subject is about the place.

  --seed HEX   8 hex digits; without it, the first 8 of the commit that is checked out
  --count N    the number of messages; 60 without it
  --json       print JSON`,
  items: () => messagesOf(sourceFiles()),
  print: ({ code, message, remedy }) => `message: ${message}\ncode:    ${code ?? "none"}\nremedy:  ${remedy ?? "none"}`,
});
