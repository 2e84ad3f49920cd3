/** Whether `text` is a whole address, with its scheme. A scheme of one letter is a drive of Windows. */
export const hasScheme = (text: string): boolean => /^[a-z][a-z0-9+.-]+:/i.test(text);

/** What relative addresses are relative to; undefined outside of pages and workers. */
export function pageAddress(): string | undefined {
  const { document, location } = globalThis as { document?: { baseURI: string }; location?: { href: string } };
  return document?.baseURI ?? location?.href;
}
