// Firefox, which Playwright would bring a build of its own for: Puppeteer drives the one that is installed, by WebDriver BiDi.
import { output } from './run.mjs';

/** KINGLET_FIREFOX, or the first known name on PATH. */
export function findFirefox() {
  if (process.env.KINGLET_FIREFOX) return process.env.KINGLET_FIREFOX;
  return ['firefox', 'firefox-esr'].map((name) => output('sh', ['-c', 'command -v "$1"', 'sh', name])).find(Boolean);
}

/** A headless one, as Puppeteer's Browser. */
export async function openFirefox() {
  const executablePath = findFirefox();
  if (!executablePath) throw new Error("no Firefox was found: install it (Debian's package is firefox-esr), or set KINGLET_FIREFOX");
  const { default: puppeteer } = await import('puppeteer-core');
  return puppeteer.launch({ browser: 'firefox', executablePath, headless: true, protocolTimeout: 300_000 });
}
