/** The tables of docs/configuration.md, from the program's own options. */
import type { Command } from "commander";
import { createProgram, variableOf } from "../src/cli/program.ts";
import { CONNECTION_PRESETS } from "../src/simulator/connections/presets.ts";
import { PLANS } from "../src/simulator/quota/plans.ts";

/** Flag, variable, default and meaning of each option, by command. */
export function optionRows(): ReadonlyMap<string, readonly (readonly string[])[]> {
  const program = createProgram(
    { version: "", plans: Object.keys(PLANS), presets: Object.keys(CONNECTION_PRESETS) },
    () => {},
  );
  return new Map(
    program.commands.flatMap((command) =>
      command.commands.length === 0
        ? [[command.name(), rowsOf(command)] as const]
        : command.commands.map((verb) => [`${command.name()} ${verb.name()}`, rowsOf(verb)] as const),
    ),
  );
}

function rowsOf({ options }: Command): readonly (readonly string[])[] {
  return options.map((option) => {
    const variable = variableOf(option);
    const meaning = option.description.replace(` [${variable}]`, "");
    const byDefault = option.defaultValue === undefined ? "" : `\`${[option.defaultValue].join("")}\``;
    return [`\`${option.flags}\``, `\`${variable}\``, byDefault, meaning];
  });
}
