import { expect, sampleLines, test } from './fixtures.mjs';

test('pointing at a line shows its box, and the other way round', async ({ demo }) => {
  await demo.readSample();
  await demo.lines.nth(3).hover();
  await expect(demo.boxes.nth(3)).toHaveClass('box active');
  await expect(demo.page.locator('.box.active')).toHaveCount(1);
  await demo.boxes.nth(13).hover();
  await expect(demo.lines.nth(13)).toHaveClass('active');
  await expect(demo.page.locator('li.active')).toHaveCount(1);
  await demo.boxes.nth(5).click();
  await expect(demo.lines.nth(5)).toBeFocused();
  await demo.page.getByRole('heading', { level: 1 }).hover();
  await expect(demo.boxes.nth(5), 'the focused line stays shown').toHaveClass('box active');
});

test('everything can be done with the keyboard', async ({ demo }) => {
  const { keyboard } = demo.page;
  await keyboard.press('Tab');
  await expect(demo.file).toBeFocused();
  const ring = await demo.page.locator('label[for=file]').evaluate((label) => getComputedStyle(label).outlineStyle);
  expect(ring, 'the label shows the focus of its input').toBe('solid');
  await keyboard.press('Tab');
  await expect(demo.sample).toBeFocused();
  await keyboard.press('Enter');
  await expect(demo.lines).toHaveText(sampleLines);
  await keyboard.press('Tab');
  await expect(demo.page.getByRole('button', { name: 'Copy' })).toBeFocused();
  await keyboard.press('Tab');
  await expect(demo.lines.first()).toBeFocused();
  await expect(demo.boxes.first()).toHaveClass('box active');
  for (const [key, line] of [['ArrowDown', 1], ['ArrowDown', 2], ['ArrowUp', 1], ['End', 14], ['ArrowDown', 14], ['Home', 0]]) {
    await keyboard.press(key);
    await expect(demo.lines.nth(line)).toBeFocused();
    await expect(demo.boxes.nth(line)).toHaveClass('box active');
  }
  await keyboard.press('Shift+Tab');
  await expect(demo.page.getByRole('button', { name: 'Copy' })).toBeFocused();
});

for (const [label, use] of [
  ['a phone', { viewport: { width: 360, height: 740 } }],
  ['a phone in the dark', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }],
  ['a narrow window at 320', { viewport: { width: 320, height: 600 } }],
]) {
  test.describe(label, () => {
    test.use(use);
    test('nothing reaches beyond the sides', async ({ demo }) => {
      const excess = () => demo.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(await excess()).toBe(0);
      await demo.file.setInputFiles({ name: `${'long'.repeat(40)}.txt`, mimeType: 'text/plain', buffer: Buffer.from('x') });
      await expect(demo.problem).toBeVisible();
      expect(await excess()).toBe(0);
      await demo.readSample();
      expect(await excess()).toBe(0);
      const { width } = await demo.page.locator('#picture').boundingBox();
      expect(width).toBeGreaterThan(use.viewport.width * 0.8);
    });
  });
}

test('text has contrast in both schemes', async ({ demo }) => {
  for (const colorScheme of ['light', 'dark']) {
    await demo.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const ratios = await demo.page.evaluate(() => {
      const light = (color) => {
        const [r, g, b] = color.match(/[\d.]+/g).slice(0, 3).map((v) => {
          const c = v / 255;
          return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const paper = (node) => {
        for (let at = node; at; at = at.parentElement) {
          const color = getComputedStyle(at).backgroundColor;
          if (!/, 0\)$/.test(color)) return color;
        }
        throw new Error('no background');
      };
      const all = [...document.querySelectorAll('h1, h2, p, th, td, label, button:not(:disabled)')];
      return all.filter((node) => node.checkVisibility() && node.textContent.trim()).map((node) => {
        const [a, b] = [light(getComputedStyle(node).color), light(paper(node))].sort((x, y) => y - x);
        return { text: node.textContent.trim().slice(0, 30), ratio: (a + 0.05) / (b + 0.05) };
      });
    });
    expect(ratios.length).toBeGreaterThan(10);
    expect(ratios.filter(({ ratio }) => ratio < 4.5), colorScheme).toEqual([]);
  }
});

test('a button that can be pressed looks so', async ({ demo }) => {
  const border = () => demo.page.locator('#copy').evaluate((copy) => getComputedStyle(copy).borderStyle);
  const atRest = await border();
  await demo.readSample();
  expect([atRest, await border()]).toEqual(['dashed', 'solid']);
});

test('the page keeps to a strict policy, its own and the server\'s', async ({ demo, server }) => {
  const served = (await demo.page.request.get(server)).headers()['content-security-policy'];
  const own = await demo.page.locator('meta[http-equiv=Content-Security-Policy]').getAttribute('content');
  for (const policy of [served, own]) {
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
    expect(policy).toContain("style-src 'self'");
    expect(policy).not.toContain("'unsafe-inline'");
  }
  // What breaks the policy is an error in the console, which the fixture refuses.
  await demo.readSample();
});

test.describe('the policy', () => {
  test.use({ expectedErrors: /policy/i });

  test('is at work: an inline script does not run', async ({ demo }) => {
    const directive = await demo.page.evaluate(() => new Promise((resolve) => {
      addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective), { once: true });
      const script = document.createElement('script');
      script.textContent = 'window.ran = true';
      document.body.append(script);
    }));
    expect(directive).toBe('script-src-elem');
    expect(await demo.page.evaluate(() => window.ran)).toBeUndefined();
  });
});

test('nothing is fetched for reading before a picture comes', async ({ demo }) => {
  const names = await demo.page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
  expect(names.filter((name) => /onnx|wasm|worker/.test(name))).toEqual([]);
});
