/** The rows of docs/simulator-reference.md: what the simulator serves, and what can be switched. */
import { API_ENDPOINTS, AUTHENTICATION_ENDPOINTS } from "../src/simulator/endpoints.ts";
import { SWITCHES } from "../src/simulator/switches.ts";
import { RECORDED, SENT } from "../test/support/known-calls.ts";

export function endpointRows(): readonly string[] {
  const recorded = new Set(
    RECORDED.flatMap(([path, methods]) => methods.split(" ").map((method) => callOf(method, path))),
  );
  const sent = new Set(SENT.flatMap(([path, methods]) => methods.split(" ").map((method) => callOf(method, path))));
  const rows = API_ENDPOINTS.map(({ method, path, scopes, bucket }) => {
    const short = path.slice("/api/v2".length);
    const call = callOf(method, short);
    const source = recorded.has(call) ? "recordings" : sent.has(call) ? "clients" : "documents";
    const shown = scopes.filter((scope) => !scope.includes(":current_user")).map((scope) => `\`${scope}\``);
    return `| \`${method} ${short}\` | ${shown.join(", ")} | ${bucket} | ${source} |`;
  });
  const others = AUTHENTICATION_ENDPOINTS.map(
    ({ method, path }) => `| \`${method} ${path}\` | none | authentication | documents |`,
  );
  return [...rows, ...others];
}

/** Names of parameters are ours, and a provider is named in the recordings. */
function callOf(method: string, path: string): string {
  return `${method} ${path.replace("/identities/auth0/", "/identities/{}/").replaceAll(/\{\w*\}/g, "{}")}`;
}

export function switchRows(): readonly string[] {
  return Object.entries(SWITCHES.properties).map(([name, schema]) => {
    const { enum: values = [], type, default: byDefault, description } = schema as SwitchSchema;
    const others = values.filter((value) => value !== byDefault).map((value) => `\`${value}\``);
    const settings = type === "boolean" ? `\`${String(byDefault !== true)}\`` : others.join(", ") || type;
    return `| \`${name}\` | \`${JSON.stringify(byDefault)}\` | ${settings} | ${description} |`;
  });
}

interface SwitchSchema {
  readonly type: string;
  readonly enum?: readonly string[];
  readonly default: string | number | boolean;
  readonly description: string;
}
