/** What is particular about a history: each kind costs some others their variety, so the seed shares them out. */

export interface HistoryKind {
  /** People review takeovers. */
  readonly areReviewers: boolean;
  /** They change the passwords that their Secrets hold. */
  readonly areRotating: boolean;
  /** They have passwords made by the operator. */
  readonly areGenerating: boolean;
  /** They declare roles, permissions and organizations, of users of the process's own tenant. */
  readonly areAssigning: boolean;
  /** They say what becomes of single attributes, and of drift. */
  readonly areParticular: boolean;
  /** They ask for actions. */
  readonly areAsking: boolean;
  /** They lose the credentials of the tenant object, and make it anew. */
  readonly areMovingTenants: boolean;
  /** The operator watches Secrets. */
  readonly isWatchingSecrets: boolean;
  /** Each user of the tenant object bears a marker. */
  readonly areAllMarked: boolean;
  /** For each tenant; `undefined`: more than a history has. */
  readonly maxDeletesPerHour: number | undefined;
  /** How likely the far side can't do what it is asked, or does not say that it did. */
  readonly refusal: number;
}

export function kindOf(seed: number): HistoryKind {
  return {
    areReviewers: seed % 4 === 2,
    areRotating: seed % 8 === 4,
    areGenerating: seed % 16 === 12,
    areAssigning: seed % 8 === 0,
    areParticular: seed % 8 === 7,
    areAsking: seed % 8 === 3,
    areMovingTenants: seed % 8 === 6,
    isWatchingSecrets: seed % 16 === 4,
    areAllMarked: seed % 4 === 3,
    maxDeletesPerHour: seed % 8 === 1 ? 2 : undefined,
    refusal: seed % 8 === 5 || seed % 16 === 11 ? 0.05 : 0,
  };
}
