/** What speaks against creating a user, asked before Auth0 is, so that a password it would refuse never leaves the cluster. */
import { findCreationObstacle, type Connection } from "../core/connection.ts";
import type { DesiredUser, RootAttributes } from "../core/desired-user.ts";
import { findPasswordFault, isPasswordDoubtful } from "../core/password-policy.ts";
import { DirectoryError } from "./errors.ts";
import { canChooseId, type ConnectionDirectory } from "./ports.ts";
import type { Reason } from "./reasons.ts";

export interface Objection {
  readonly reason: Reason;
  readonly message: string;
}

/**
 * Reads the connection only where the declaration leaves a doubt that it can settle: a username, a password that some
 * policy would refuse.
 *
 * @throws DirectoryError, or `signal.reason`
 */
export async function findCreationObjection(
  desired: DesiredUser,
  password: string | undefined,
  connections: ConnectionDirectory,
  signal: AbortSignal,
): Promise<Objection | undefined> {
  const { connection: name, attributes } = desired;
  const isDoubtful =
    typeof attributes.username === "string" || (password !== undefined && isPasswordDoubtful(password, attributes));
  const connection = isDoubtful ? await connections.read(name, signal) : connections.find(name);
  return creationObjection(desired, password, connection);
}

/** What the connection says to a creation that Auth0 refused; `undefined`: nothing that explains it. */
export async function explainRefusal(
  desired: DesiredUser,
  password: string | undefined,
  connections: ConnectionDirectory,
  signal: AbortSignal,
): Promise<Objection | undefined> {
  connections.doubt(desired.connection);
  try {
    return creationObjection(desired, password, await connections.read(desired.connection, signal));
  } catch (error) {
    if (error instanceof DirectoryError) return undefined;
    throw error;
  }
}

/**
 * What is wrong with a password that is to be sent.
 *
 * @param profile what the password must not hold, where the connection says so
 * @throws DirectoryError, or `signal.reason`
 */
export async function findPasswordObjection(
  password: string,
  profile: RootAttributes,
  name: DesiredUser["connection"],
  connections: ConnectionDirectory,
  signal: AbortSignal,
): Promise<Objection | undefined> {
  const connection = isPasswordDoubtful(password, profile)
    ? await connections.read(name, signal)
    : connections.find(name);
  return passwordObjection(password, profile, name, connection);
}

function creationObjection(
  desired: DesiredUser,
  password: string | undefined,
  connection: Connection | undefined,
): Objection | undefined {
  const obstacle = connection && findCreationObstacle(connection, desired);
  if (obstacle !== undefined) return { reason: "ConnectionUnsupported", message: obstacle };
  if (password === undefined) return undefined;
  if (!canChooseId(desired.connection)) {
    const message = `connection ${desired.connection} keeps no passwords: take spec.password out`;
    return { reason: "ConnectionUnsupported", message };
  }
  return passwordObjection(password, desired.attributes, desired.connection, connection);
}

function passwordObjection(
  password: string,
  profile: RootAttributes,
  name: DesiredUser["connection"],
  connection: Connection | undefined,
): Objection | undefined {
  const fault = findPasswordFault(password, connection?.passwordPolicy, profile);
  if (fault === undefined) return undefined;
  return {
    reason: "PasswordRejected",
    message: `the password was not sent, connection ${name} would refuse it: ${fault}`,
  };
}
