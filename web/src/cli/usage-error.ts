/** Arguments of the command line that make no sense. */
export class UsageError extends Error {}
