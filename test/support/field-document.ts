/** The matrix of fields as `docs/fields.md`. */
import { EVENTS, type Cell, type FieldRow } from "./field-matrix.ts";

const INTRODUCTION = `# Fields

What becomes of each field of an \`Auth0User\`: what is asked of Auth0, and what it holds afterwards. This table is the
printout of \`npm run test:fields\`, which runs every cell against the simulator; a test fails where it is not true any more.

- Left out are the one read of the user with which a look after drift begins, and what else a new user is made with.
- A call on the user itself is shown as method and body, one on something under it as \`/roles\`.
- \`remove\` is null or \`removeAttributes\`; for roles, permissions and organizations it is leaving the spec under
  \`unsetPolicy: Remove\`.
- \`drift\` is a change by hand. It is set back, unless the field's policy is \`InitOnly\` or \`Ignore\` or the resource's
  \`driftPolicy\` is \`Detect\`. A flag that is declared false is one-way: what somebody set to true is reported.
`;

export function fieldsDocument(rows: readonly FieldRow[]): string {
  const head = ["Field", ...EVENTS];
  const lines = rows.map(({ field, cells }) =>
    [`\`${field}\``, ...EVENTS.map((event) => cellText(cells[event]))].join(" | "),
  );
  return `${INTRODUCTION}
| ${head.join(" | ")} |
| ${head.map(() => "---").join(" | ")} |
${lines.map((line) => `| ${line} |`).join("\n")}
`;
}

function cellText({ asked, holds, said }: Cell): string {
  const parts = [asked === "nothing" ? asked : code(asked), `→ ${holds === "absent" ? holds : code(holds)}`];
  return [...parts, ...(said === "" ? [] : [`(${said})`])].join(" ").replaceAll("|", String.raw`\|`);
}

function code(text: string): string {
  return `\`${text}\``;
}
