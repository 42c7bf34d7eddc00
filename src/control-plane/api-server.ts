/** The API server, with the tokens and keys that it knows people and ServiceAccounts by. */
import { generateKeyPairSync } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Random } from "../runtime/random.ts";
import { Component, type ComponentHost } from "./component.ts";
import { Probe } from "./probe.ts";

export interface ApiServer {
  readonly component: Component;
  readonly probe: Probe;
  readonly url: string;
  readonly caFile: string;
  readonly adminToken: string;
  readonly operatorToken: string;
}

export interface ApiServerOptions {
  readonly file: string;
  readonly etcdUrl: string;
  readonly audit: Audit | undefined;
  readonly random: Random;
  choosePort(): Promise<number>;
}

/** What the API server puts on record of the requests that it gets. */
export interface Audit {
  /** An audit.k8s.io/v1 Policy, in YAML. */
  readonly policy: string;
  /** One JSON object a line. */
  readonly logFile: string;
}

/** A port can be lost between choosing and using it, but hardly this often. */
const MAX_PORTS = 5;

/** Resolves when it is ready and namespace `default` is there. */
export async function startApiServer(
  options: ApiServerOptions,
  host: ComponentHost,
  signal: AbortSignal,
): Promise<ApiServer> {
  const { folder } = host.supervisor;
  const identities = await writeIdentities(folder, options.random);
  const auditArgs = options.audit === undefined ? [] : await writeAuditPolicy(folder, options.audit);
  for (let ports = 1; ; ports++) {
    const apiServer = createApiServer(await options.choosePort(), identities, auditArgs, options, host);
    try {
      await apiServer.component.start(signal);
      return apiServer;
    } catch (error) {
      const portWasTaken = error instanceof Error && error.message.includes("address already in use");
      if (!portWasTaken || ports === MAX_PORTS) throw error;
    }
  }
}

interface Identities {
  readonly adminToken: string;
  readonly operatorToken: string;
  readonly tokenFile: string;
  /** Signs and verifies the tokens of ServiceAccounts. */
  readonly keyFile: string;
}

async function writeIdentities(folder: string, random: Random): Promise<Identities> {
  const [adminToken, operatorToken] = [random.bytes(16).toString("hex"), random.bytes(16).toString("hex")];
  const tokenFile = path.join(folder, "tokens.csv");
  await writeFile(tokenFile, `${adminToken},admin,admin,system:masters\n${operatorToken},operator,operator\n`);
  const keyFile = path.join(folder, "service-accounts.pem");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await writeFile(keyFile, privateKey.export({ type: "sec1", format: "pem" }));
  return { adminToken, operatorToken, tokenFile, keyFile };
}

async function writeAuditPolicy(folder: string, { policy, logFile }: Audit): Promise<readonly string[]> {
  const file = path.join(folder, "audit-policy.yaml");
  await writeFile(file, policy);
  return [`--audit-policy-file=${file}`, `--audit-log-path=${logFile}`];
}

function createApiServer(
  port: number,
  { adminToken, operatorToken, tokenFile, keyFile }: Identities,
  auditArgs: readonly string[],
  { file, etcdUrl }: ApiServerOptions,
  host: ComponentHost,
): ApiServer {
  const url = `https://127.0.0.1:${String(port)}`;
  // It signs its own certificate at its first start and finds it here at the next.
  const certificates = path.join(host.supervisor.folder, "certificates");
  const caFile = path.join(certificates, "apiserver.crt");
  const args = [
    `--etcd-servers=${etcdUrl}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${String(port)}`,
    // Else it looks for the address of a network card, and a machine may have none.
    "--advertise-address=127.0.0.1",
    "--endpoint-reconciler-type=none",
    `--cert-dir=${certificates}`,
    `--token-auth-file=${tokenFile}`,
    "--authorization-mode=RBAC",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${keyFile}`,
    `--service-account-signing-key-file=${keyFile}`,
    // It would ask every Pod for a ServiceAccount, which only the controller manager makes.
    "--disable-admission-plugins=ServiceAccount",
    "--service-cluster-ip-range=10.0.0.0/24",
    ...auditArgs,
  ];
  const probe = new Probe({
    origin: url,
    headers: { authorization: `Bearer ${adminToken}` },
    connect: async () => ({ ca: await readFile(caFile, "utf8") }),
  });
  const readyPaths = ["/readyz?verbose", "/api/v1/namespaces/default"];
  const component = new Component({ name: "kube-apiserver", file, args, probe, readyPaths }, host);
  return { component, probe, url, caFile, adminToken, operatorToken };
}
