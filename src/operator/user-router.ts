/** The first steps of a user's pass: what it is, and which tenant it belongs to. That tenant's reconciler does the rest. */
import { isApiError } from "../kubernetes/api-error.ts";
import type { ReconcileResult } from "../kubernetes/controller.ts";
import type { ObjectKey } from "../kubernetes/object.ts";
import { tenantDomain } from "../core/ids.ts";
import { parseClaim } from "../reconcile/claim.ts";
import { refused } from "../reconcile/outcome.ts";
import type { Auth0UserResource } from "./auth0-user-resource.ts";
import { refuseEarly, suspend } from "./early-refusal.ts";
import { USER_ID_ANNOTATION } from "./names.ts";
import type { SecretUsers } from "./secret-users.ts";
import { Tenant } from "./tenant.ts";
import type { Standing, Tenants } from "./tenants.ts";
import { unreachableDirectory } from "./unreachable-directory.ts";
import { finalizeUser } from "./user-finalizer.ts";
import type { SharedParts } from "./user-parts.ts";

export interface UserRouterOptions {
  readonly parts: SharedParts;
  readonly tenants: Tenants;
  readonly secretUsers: SecretUsers;
}

export class UserRouter {
  readonly #options: UserRouterOptions;

  constructor(options: UserRouterOptions) {
    this.#options = options;
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult> {
    const { parts, tenants, secretUsers } = this.#options;
    const resource = parts.store.get(key);
    if (resource === undefined) {
      parts.memories.forget(key);
      parts.reasons.forget(key);
      secretUsers.forget(key);
      tenants.forgetUser(key);
      return { kind: "done" };
    }
    try {
      return await this.#pass(resource, tenants.standingFor(resource), signal);
    } catch (error) {
      // Somebody else wrote meanwhile, or replaced the resource: the watch brings it, and this pass is over.
      if (isApiError(error, "conflict", "not_found")) return { kind: "backoff" };
      if (isApiError(error, "invalid") && parts.store.identify(key)?.uid !== resource.uid) return { kind: "backoff" };
      throw error;
    }
  }

  async #pass(resource: Auth0UserResource, standing: Standing, signal: AbortSignal): Promise<ReconcileResult> {
    if (resource.spec["suspend"] === true && !resource.isDeleting) {
      await suspend(resource, this.#options.parts, signal);
      return { kind: "done" };
    }
    switch (standing.kind) {
      case "usable":
        return standing.reconciler.reconcile(resource, signal);
      case "pending":
        return { kind: "done" };
      case "not ready":
        if (!resource.isDeleting) return this.#refuse(resource, standing.message, signal);
        return standing.reconciler === undefined
          ? this.#finalize(resource, standing.message, signal)
          : standing.reconciler.reconcile(resource, signal);
      default:
        return standing satisfies never;
    }
  }

  async #refuse(resource: Auth0UserResource, message: string, signal: AbortSignal): Promise<ReconcileResult> {
    await refuseEarly(resource, refused("TenantNotReady", message), this.#options.parts, signal);
    return { kind: "stalled" };
  }

  /** Without any way to the tenant: what needs no call is done, what needs one waits. */
  #finalize(resource: Auth0UserResource, cause: string, signal: AbortSignal): Promise<ReconcileResult> {
    const { parts } = this.#options;
    const { namespaces } = parts;
    const text = resource.annotations[USER_ID_ANNOTATION];
    const claim = text === undefined ? undefined : parseClaim(text, resource, parts.stateKeys.keyring);
    const claimed = typeof claim === "object" ? claim.tenantDomain : "";
    const directory = unreachableDirectory(tenantDomain(resource.status.tenantDomain ?? claimed), cause);
    const tenant = new Tenant({
      key: undefined,
      title: "the tenant",
      directory,
      grants: "all",
      namespaces,
      breaker: undefined,
      marksAllUsers: false,
      syncIntervalMs: undefined,
    });
    return finalizeUser(resource, { ...parts, tenant, directory, doubtCredentials: () => {} }, signal);
  }
}
