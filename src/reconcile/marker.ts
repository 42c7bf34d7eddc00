/**
 * The marker in `app_metadata`: `NAMESPACE/NAME;PROVENANCE;KEYID:MAC`. It proves that the user belongs to one resource where
 * the id can't tell (Auth0 chose it, the user was taken over, a file has no uid), and it lets operators of other clusters
 * notice each other: who finds a marker that another operator's key made leaves the user alone. Only the tenant's
 * administrators may write `app_metadata`.
 */
import type { DesiredUser } from "../core/desired-user.ts";
import type { TenantDomain } from "../core/ids.ts";
import type { ObservedUser } from "../core/observed-user.ts";
import type { Provenance } from "../core/ownership.ts";
import type { Claimant } from "./claim.ts";
import type { Keyring } from "./keyring.ts";

/** The key in `app_metadata`; the schema keeps it from manifests. */
export const MARKER_KEY = "auth0_user_operator";
export const MARKER_PATH = `appMetadata.${MARKER_KEY}`;

/** Whom a marker speaks for. `uid` is the resource's own; a file has none. */
export interface Marked extends Claimant {
  readonly tenantDomain: TenantDomain;
  readonly uid: string | undefined;
}

export type MarkerReading =
  /** None, or nothing that can be read as one. */
  | { readonly kind: "none" }
  | { readonly kind: "own"; readonly provenance: Provenance }
  /** Made with our keys for another resource, or for this one before it was restored: what stands in the cluster decides. */
  | { readonly kind: "former" }
  /** Made by another operator, in these words. */
  | { readonly kind: "foreign"; readonly holder: string };

/** The marker of one resource. */
export class Marker {
  readonly #marked: Marked;
  readonly #keyring: Keyring;
  readonly #marksCreated: boolean;

  /** @param options.marksCreated whether users that the resource created are marked, not only those that it took over */
  constructor(marked: Marked, keyring: Keyring, options: { readonly marksCreated: boolean }) {
    this.#marked = marked;
    this.#keyring = keyring;
    this.#marksCreated = options.marksCreated;
  }

  isDue(provenance: Provenance): boolean {
    return provenance === "adopted" || this.#marksCreated;
  }

  /** The same with the marker that such a user shall bear, unless none is due, or there is no key to make it. */
  addTo(desired: DesiredUser, provenance: Provenance): DesiredUser {
    const { namespace, name } = this.#marked;
    const signature = this.isDue(provenance) ? this.#keyring.sign("marker", this.#parts(provenance)) : undefined;
    if (signature === undefined) return desired;
    const text = `${namespace}/${name};${provenance};${signature}`;
    return { ...desired, appMetadata: { ...desired.appMetadata, [MARKER_KEY]: text } };
  }

  read({ appMetadata }: ObservedUser): MarkerReading {
    const fields = parseMarker(appMetadata[MARKER_KEY]);
    if (fields === undefined) return { kind: "none" };
    const { holder, provenance, signature } = fields;
    const verification = this.#keyring.verify("marker", this.#parts(provenance), signature);
    switch (verification) {
      case "valid":
        return { kind: "own", provenance };
      case "invalid":
        return { kind: "former" };
      case "unknown key":
        return { kind: "foreign", holder };
      default:
        return verification satisfies never;
    }
  }

  isOn(user: ObservedUser): boolean {
    return this.read(user).kind === "own";
  }

  /** Why the user is another operator's; `undefined`: it is not. */
  findForeignClaim(user: ObservedUser): string | undefined {
    const reading = this.read(user);
    if (reading.kind !== "foreign") return undefined;
    return `${user.userId} is marked as that of Auth0User ${reading.holder} of another operator: nothing is written to it; delete that resource with deletionPolicy: Retain, or, where that operator is no more, remove ${MARKER_KEY} from the user's app_metadata`;
  }

  #parts(provenance: Provenance): string[] {
    const { tenantDomain, namespace, name, uid } = this.#marked;
    return [tenantDomain, namespace, name, uid ?? "", provenance];
  }
}

/** The resource that the user's marker names, unproven. */
export function findMarkedResource({ appMetadata }: ObservedUser): Claimant | undefined {
  const [namespace, name] = parseMarker(appMetadata[MARKER_KEY])?.holder.split("/") ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

function parseMarker(
  text: unknown,
): { readonly holder: string; readonly provenance: Provenance; readonly signature: string } | undefined {
  const fields = typeof text === "string" ? /^([^;\s]+);(created|adopted);([^;\s]+)$/.exec(text) : null;
  if (fields === null) return undefined;
  const [, holder = "", word, signature = ""] = fields;
  return { holder, provenance: word === "created" ? "created" : "adopted", signature };
}
