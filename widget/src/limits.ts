/** What may be sent: the service's policy, narrowed by the grant. What these refuse is refused without a request. */

/** `types` are extensions in small letters; `files` and `bytes` are what the grant still leaves. */
export interface Limits {
  readonly size: number;
  readonly types: readonly string[];
  readonly files: number;
  readonly bytes: number;
}

export interface Policy {
  readonly size: number;
  readonly types: readonly string[];
}

export interface Grant {
  readonly meeting: string | null;
  readonly types: readonly string[];
  readonly files: number;
  readonly bytes: number;
}

/** Return the limits that `policy` and `grant` make together; no types in a grant are all of the policy's. */
export function narrow(policy: Policy, grant: Grant | null): Limits {
  if (grant === null) return { ...policy, files: Infinity, bytes: Infinity };
  const types = grant.types.length ? policy.types.filter((type) => grant.types.includes(type)) : policy.types;
  return { size: policy.size, types, files: grant.files, bytes: grant.bytes };
}

/** Return the extension of a name, in small letters and without its dot; an empty text if it has none. */
export function extension(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? "" : name.slice(dot + 1).toLowerCase();
}

/** Return the code of what is against a file of `size` bytes named `name`, or `null`. */
export function objection(limits: Limits, name: string, size: number): string | null {
  if (!limits.types.includes(extension(name))) return "type_not_allowed";
  if (size > limits.size) return "too_large";
  if (limits.files < 1 || size > limits.bytes) return "quota_exceeded";
  return null;
}
