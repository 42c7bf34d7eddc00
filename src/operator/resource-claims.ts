/** The claim of one resource on its user, kept in an annotation, in one patch with the finalizer. */
import { connectionName, type UserId } from "../core/ids.ts";
import type { ObservedUser } from "../core/observed-user.ts";
import type { Claim, Provenance } from "../core/ownership.ts";
import { objectKey, parseObjectIdentity, type ObjectKey } from "../kubernetes/object.ts";
import { formatClaim, parseClaim, type Begun } from "../reconcile/claim.ts";
import { findMarkedResource } from "../reconcile/marker.ts";
import type { ClaimStore } from "../reconcile/ports.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { FINALIZER, CLAIMED_BY_ANNOTATION, PASSWORD_VERSION_ANNOTATION, USER_ID_ANNOTATION } from "./names.ts";
import { markerOf } from "./user-ownership.ts";
import type { JsonObject } from "../runtime/json.ts";
import { auth0UserPath, type UserParts } from "./user-parts.ts";

/** A user that a resource was after, and another resource that holds it. */
export interface HeldUser {
  readonly userId: UserId;
  readonly holder: ObjectKey;
}

export class ResourceClaims implements ClaimStore {
  readonly #resource: Auth0UserResource;
  readonly #parts: UserParts;
  #isHeld: boolean;
  #text: string | undefined;
  #writtenVersion: string | undefined;
  readonly #reserved = new Set<UserId>();
  readonly #recorded = new Set<UserId>();
  #held: HeldUser | undefined;

  constructor(resource: Auth0UserResource, parts: UserParts) {
    this.#resource = resource;
    this.#parts = parts;
    this.#isHeld = resource.finalizers.includes(FINALIZER);
    this.#text = resource.annotations[USER_ID_ANNOTATION];
  }

  /** Whether the finalizer keeps the resource from going before its user has been dealt with. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** The resource version that the last write here made; `undefined` where nothing was written. */
  get writtenVersion(): string | undefined {
    return this.#writtenVersion;
  }

  /** Another resource that holds the user that this one was after. */
  get held(): HeldUser | undefined {
    return this.#held;
  }

  async findHolder(userId: UserId): Promise<ObjectKey | undefined> {
    const { holders, directory } = this.#parts;
    return this.#note(userId, await holders.find(directory.tenantDomain, userId, this.#resource.key));
  }

  async reserve(userId: UserId): Promise<ObjectKey | undefined> {
    const { holders, directory } = this.#parts;
    const holder = await holders.reserve(directory.tenantDomain, userId, this.#resource.key);
    if (holder === undefined) this.#reserved.add(userId);
    return this.#note(userId, holder);
  }

  findMaker(user: ObservedUser): ObjectKey | undefined {
    const { store } = this.#parts;
    const marked = findMarkedResource(user);
    const maker = marked && store.get(objectKey(marked.namespace, marked.name));
    if (maker === undefined || maker.key === this.#resource.key) return undefined;
    const marker = markerOf(maker, connectionName(String(maker.spec["connection"])), this.#parts);
    return marker.isOn(user) ? this.#note(user.userId, maker.key) : undefined;
  }

  #note(userId: UserId, holder: ObjectKey | undefined): ObjectKey | undefined {
    this.#held = holder === undefined ? undefined : { userId, holder };
    return holder;
  }

  /** The pass is over: what it claimed is written down, what it only reserved is free. */
  release(): void {
    const { holders, directory } = this.#parts;
    for (const id of this.#reserved) {
      holders.release(directory.tenantDomain, id, this.#resource.key, this.#recorded.has(id));
    }
  }

  /** The claim as it stands. */
  parse(): Claim | "unreadable" | undefined {
    return this.#text === undefined ? undefined : parseClaim(this.#text, this.#resource, this.#parts.stateKeys.keyring);
  }

  /** Written also where it stands as it was read: what was read may be old, and the API server knows. @throws ApiError */
  async begin(claimed: UserId | Begun, passwordVersion: string | undefined, signal: AbortSignal): Promise<void> {
    const standing = this.#resource.annotations[PASSWORD_VERSION_ANNOTATION];
    const password = passwordVersion === standing ? {} : { [PASSWORD_VERSION_ANNOTATION]: passwordVersion ?? null };
    await this.#writeConditionally(this.#format(claimed, "created"), signal, { ...password, ...this.#claimedBy() });
    if (typeof claimed === "string") this.#noteHolder(claimed);
  }

  /**
   * The first patch takes hold of the very object that was read: it is refused when somebody changed it meanwhile. Later
   * ones touch nothing but the annotation, and must not fail for somebody else's edit; but for another resource of the name.
   *
   * @throws ApiError
   */
  async record(claimed: UserId, provenance: Provenance, signal: AbortSignal): Promise<void> {
    const text = this.#format(claimed, provenance);
    const standing = this.parse();
    const isClaimed = typeof standing === "object" && standing.userId === claimed;
    const by = isClaimed ? {} : this.#claimedBy();
    if (!this.#isHeld) await this.#writeConditionally(text, signal, by);
    else if (text !== this.#text) await this.#write(text, by, signal);
    this.#noteHolder(claimed);
  }

  /** A claim that was not there before is this very resource's. */
  #claimedBy(): JsonObject {
    const { uid, annotations } = this.#resource;
    return annotations[CLAIMED_BY_ANNOTATION] === uid ? {} : { [CLAIMED_BY_ANNOTATION]: uid };
  }

  #format(claimed: UserId | Begun, provenance: Provenance): string {
    const { directory, stateKeys } = this.#parts;
    return formatClaim(claimed, directory.tenantDomain, provenance, this.#resource, stateKeys.keyring);
  }

  #noteHolder(userId: UserId): void {
    const { directory, holders } = this.#parts;
    this.#recorded.add(userId);
    holders.note(directory.tenantDomain, userId, this.#resource.key);
  }

  async #writeConditionally(text: string, signal: AbortSignal, annotations: JsonObject = {}): Promise<void> {
    const { key, finalizers } = this.#resource;
    const resourceVersion = this.#writtenVersion ?? this.#resource.resourceVersion;
    const hold = this.#isHeld ? {} : { finalizers: [...finalizers, FINALIZER] };
    const send = () => this.#send({ resourceVersion, ...hold }, { ...annotations, [USER_ID_ANNOTATION]: text }, signal);
    this.#noteWritten(text, await this.#parts.store.write(key, resourceVersion, send));
  }

  async #write(text: string, by: JsonObject, signal: AbortSignal): Promise<void> {
    const answer = await this.#send({ uid: this.#resource.uid }, { ...by, [USER_ID_ANNOTATION]: text }, signal);
    this.#parts.store.absorb(answer);
    this.#noteWritten(text, answer);
  }

  #send(metadata: JsonObject, annotations: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    const patch = { metadata: { ...metadata, annotations } };
    return this.#parts.api.mergePatch(auth0UserPath(this.#resource), patch, signal);
  }

  #noteWritten(text: string, answer: JsonObject): void {
    this.#writtenVersion = parseObjectIdentity(answer).resourceVersion;
    this.#isHeld = true;
    this.#text = text;
  }
}
