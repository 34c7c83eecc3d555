// node api_reference.mjs TOOLS URL KEY SCREENSHOT: opens the API reference as a reader would, enters a key, and sends
// GET /api/jobs from the page. Prints one JSON object of what it saw.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [tools, url, key, screenshot] = process.argv.slice(2);
const { chromium } = createRequire(`${tools}/package.json`)('playwright-core');
const profile = mkdtempSync(join(tmpdir(), 'dbackup-browser-'));
const seen = { complaints: [], foreign: [], sections: [], operations: [], title: '', server: '', answer: null };

const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
         '--disable-component-update', '--disable-sync'],
  viewport: { width: 1400, height: 1000 },
});
try {
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  page.on('console', (line) => { if (['error', 'warning'].includes(line.type())) seen.complaints.push(line.text()); });
  page.on('pageerror', (error) => seen.complaints.push(error.message));
  page.on('requestfailed', (request) => seen.complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on('request', (request) => {
    const target = new URL(request.url());
    if (['http:', 'https:', 'ws:', 'wss:'].includes(target.protocol) && target.origin !== url) seen.foreign.push(request.url());
  });
  page.on('response', (response) => { if (response.status() >= 400) seen.complaints.push(`${response.url()}: ${response.status()}`); });

  await page.goto(`${url}/docs/api`);
  const token = page.locator('input[placeholder="Token"]').first();
  await token.waitFor();
  seen.title = await page.title();
  seen.server = await page.evaluate((address) => document.body.innerText.includes(address) ? address : '', url);

  // Every section of the side bar, opened, with its operations.
  const bar = page.locator('nav, aside').first();
  for (;;) {
    const closed = page.getByRole('button', { name: /^Open Group/ });
    if (await closed.count() === 0) break;
    await closed.first().click();
  }
  seen.sections = await page.getByRole('button', { name: /^Close Group/ }).evaluateAll(
      (buttons) => buttons.map((button) => (button.getAttribute('aria-label') ?? button.innerText).replace(/^Close Group - /, '').trim()));
  seen.operations = await bar.evaluate((element) => element.innerText.split('\n').map((line) => line.trim()).filter(Boolean));

  await token.fill(key);
  await bar.getByText('All jobs, newest first').first().click();
  await page.getByRole('button', { name: /Test Request.*get \/api\/jobs\)/i }).first().click();
  const answered = page.waitForResponse((response) => new URL(response.url()).pathname === '/api/jobs');
  await page.getByRole('button', { name: /^Send/ }).first().click();
  const answer = await answered;
  seen.answer = { status: answer.status(), authorization: (await answer.request().allHeaders()).authorization === `Bearer ${key}`, body: await answer.json() };
  await page.waitForFunction(() => document.body.innerText.includes('200'));
  await page.screenshot({ path: screenshot });
} catch (error) {
  seen.complaints.push(String(error));
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
console.log(JSON.stringify(seen));
