import test from "ava";
import { connectionName, tenantDomain, userId } from "../../../src/core/ids.ts";
import { decideOwnership, type Claim, type Ownership, type OwnershipFacts } from "../../../src/core/ownership.ts";
import { DATABASE, ownershipFacts } from "../../support/builders.ts";

const acme = tenantDomain("acme.auth0.com");
const derived = userId("auth0|uid-1");
const other = userId("auth0|somebody");
const begun = { userId: undefined, begunWith: "jane@example.com" };
const nothing = ownershipFacts().record;

const aClaim = (rest: Partial<Claim>): Claim => ({
  userId: derived,
  begunWith: undefined,
  tenantDomain: acme,
  provenance: "created",
  isSigned: true,
  ...rest,
});
const aRecord = (rest: Partial<OwnershipFacts["record"]>): OwnershipFacts["record"] => ({
  userId: derived,
  tenantDomain: acme,
  connection: DATABASE,
  provenance: "created",
  ...rest,
});

const cases: Record<string, [Partial<OwnershipFacts>, Ownership]> = {
  "a resource that claims nothing may create": [{}, { kind: "none" }],
  "a resource that names a user adopts it and creates none": [
    { adoptedId: other },
    { kind: "adopting", userId: other },
  ],
  "the id that derives from the own uid is proof, and its creation may have been cut short": [
    { claim: aClaim({ isSigned: false }) },
    { kind: "creating", userId: derived, begunWith: undefined },
  ],
  "the operator's own note is proof": [
    { claim: aClaim({ userId: other }), record: aRecord({ userId: other, provenance: "adopted" }) },
    { kind: "owned", userId: other, provenance: "adopted", isClaimed: true, isNoted: true, begun: undefined },
  ],
  "the operator's note stands where the annotation was taken away": [
    { record: aRecord({}) },
    { kind: "owned", userId: derived, provenance: "created", isClaimed: false, isNoted: true, begun: undefined },
  ],
  "the operator's note outweighs a forged annotation": [
    { claim: aClaim({ userId: other, isSigned: false }), record: aRecord({}) },
    { kind: "owned", userId: derived, provenance: "created", isClaimed: false, isNoted: true, begun: undefined },
  ],
  "a signature is proof without any note, as after a restore": [
    { claim: aClaim({ userId: other, provenance: "adopted" }) },
    { kind: "owned", userId: other, provenance: "adopted", isClaimed: true, isNoted: false, begun: undefined },
  ],
  "an annotation without a valid signature proves nothing and never creates": [
    { claim: aClaim({ userId: other, isSigned: false }) },
    { kind: "unproven", userId: other, derivedId: derived },
  ],
  "where nothing was ever created an unproven annotation leaves nothing of the resource's own": [
    { claim: "unreadable", isHeld: false },
    { kind: "unproven", userId: undefined, derivedId: undefined },
  ],
  "an annotation that can't be read never creates": [
    { claim: "unreadable" },
    { kind: "unproven", userId: undefined, derivedId: derived },
  ],
  "an unproven annotation may be adopted by naming its user": [
    { claim: aClaim({ userId: other, isSigned: false }), adoptedId: other },
    { kind: "adopting", userId: other },
  ],
  "an unproven annotation is not adopted by naming another user": [
    { claim: aClaim({ userId: other, isSigned: false }), adoptedId: userId("auth0|third") },
    { kind: "unproven", userId: other, derivedId: derived },
  ],
  "a creation whose id Auth0 chooses is resumed on the strength of its signature": [
    { derivedId: undefined, claim: aClaim(begun) },
    { kind: "creating", ...begun },
  ],
  "a recreation that was begun does not outweigh the operator's own note": [
    { derivedId: undefined, claim: aClaim(begun), record: aRecord({}) },
    {
      kind: "owned",
      userId: derived,
      provenance: "created",
      isClaimed: false,
      isNoted: true,
      begun: { kind: "creating", ...begun },
    },
  ],
  "a creation that was begun in the stead of a user that was taken over is kept in mind": [
    { claim: aClaim({}), record: aRecord({ userId: other, provenance: "adopted" }) },
    {
      kind: "owned",
      userId: other,
      provenance: "adopted",
      isClaimed: false,
      isNoted: true,
      begun: { kind: "creating", userId: derived, begunWith: undefined },
    },
  ],
  "an unsigned creation whose id Auth0 chooses proves nothing": [
    { derivedId: undefined, claim: aClaim({ ...begun, isSigned: false }) },
    { kind: "unproven", userId: undefined, derivedId: undefined },
  ],
  "a user noted in another tenant is out of reach": [
    { record: aRecord({ tenantDomain: tenantDomain("old.auth0.com") }), claim: aClaim({}) },
    { kind: "elsewhere", tenantDomain: tenantDomain("old.auth0.com") },
  ],
  "a user claimed in another tenant is out of reach": [
    { claim: aClaim({ tenantDomain: tenantDomain("old.auth0.com") }) },
    { kind: "elsewhere", tenantDomain: tenantDomain("old.auth0.com") },
  ],
  "a forged annotation does not move a noted user to another tenant": [
    { record: aRecord({}), claim: aClaim({ tenantDomain: tenantDomain("evil.auth0.com"), isSigned: false }) },
    { kind: "owned", userId: derived, provenance: "created", isClaimed: false, isNoted: true, begun: undefined },
  ],
  "a connection that was changed past the API server is refused": [
    { record: aRecord({ connection: connectionName("old") }) },
    { kind: "moved", connection: connectionName("old") },
  ],
  "spec.userId may not contradict the user that is ours": [
    { record: aRecord({}), adoptedId: other },
    { kind: "contradicted", userId: derived, adoptedId: other },
  ],
  "spec.userId may not contradict a creation under way": [
    { claim: aClaim({}), adoptedId: other },
    { kind: "contradicted", userId: derived, adoptedId: other },
  ],
};

for (const [title, [facts, expected]] of Object.entries(cases)) {
  test(title, (t) => {
    t.deepEqual(decideOwnership(ownershipFacts({ record: nothing, ...facts })), expected);
  });
}
