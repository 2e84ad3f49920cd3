/** Arguments of the command line that make no sense, or name a file that cannot be used. */
export class UsageError extends Error {}
