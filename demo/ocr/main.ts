// The page: takes a picture, has the worker read it, shows lines, boxes and times.

import { workOffline } from '../offline/register.js';
import { copyText } from './copy.js';
import { takePictures } from './intake.js';
import { LinesView } from './lines-view.js';
import { loadProblem } from './load-problem.js';
import type { LoadState, Reading } from './messages.js';
import { decodePicture, PictureError } from './picture.js';
import { ProgressView } from './progress-view.js';
import { ReaderClient, type ReadState } from './reader-client.js';
import { samplePicture } from './sample.js';

function element<T extends Element = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as Element as T;
}

const model = (name: string) => new URL(`models/${name}`, document.baseURI).href;

const client = new ReaderClient({
  detector: model('ch_PP-OCRv4_det_infer.onnx'),
  recognizer: model('ch_PP-OCRv4_rec_infer.onnx'),
  classifier: model('ch_ppocr_mobile_v2.0_cls_infer.onnx'),
  dictionary: model('ppocr_keys_v1.txt'),
});
const lines = new LinesView({ list: element('lines'), boxes: element<SVGSVGElement>('boxes') });
const progress = new ProgressView({
  status: element('status'), detail: element('detail'), bar: element<HTMLProgressElement>('progress'),
});
const drop = element('drop');
const picture = element<HTMLImageElement>('picture');
const copy = element<HTMLButtonElement>('copy');
const placeholder = element('placeholder');
const retry = element('retry');

/** Of the models, for as long as the servers have not told. */
const usualSize = '16 MB';
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
const duration = (ms: number) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
const countOfLines = (count: number) => `${count} ${count === 1 ? 'line' : 'lines'}`;

/** The picture that is being read. */
let current: AbortController | undefined;
/** Counts what visitors gave. */
let newest = 0;
/** The turn of the newest of them that is a picture: older ones come too late. */
let accepted = 0;
let retried: (() => void) | undefined;

function showProblem(message: string, again?: () => void): void {
  element('problem-text').textContent = message;
  element('problem').hidden = false;
  retry.hidden = !again;
  retried = again;
}

function hideProblem(): void {
  element('problem').hidden = true;
  retried = undefined;
}

function showPicture(file: Blob): void {
  const address = URL.createObjectURL(file);
  picture.addEventListener('load', () => URL.revokeObjectURL(address), { once: true });
  picture.src = address;
  picture.alt = file instanceof File && file.name ? `Your picture, ${file.name}` : 'The picture being read';
  element('welcome').hidden = true;
  element('frame').hidden = false;
  drop.classList.add('filled');
}

function clearResult(): void {
  lines.clear();
  copy.disabled = true;
  placeholder.textContent = 'The lines of the picture appear here.';
  placeholder.hidden = false;
  for (const id of ['time-detect', 'time-recognize']) element(id).textContent = '–';
}

function showLoading({ loaded, total, prepared, models }: LoadState): void {
  if (total !== undefined && loaded >= total) {
    progress.working('Preparing the models…', `${prepared} of ${models}`, prepared / models);
  } else {
    const detail = `${megabytes(loaded)} of ${total === undefined ? `about ${usualSize}` : `${megabytes(total)} MB`}`;
    progress.working('Downloading the models…', detail, total === undefined ? undefined : loaded / total);
  }
}

function showReading({ phase, done, total }: ReadState): void {
  if (phase === 'detect') progress.working('Finding the lines…', '', undefined);
  else progress.working('Reading the lines…', `${done} of ${total}`, total === 0 ? 1 : done / total);
}

function showResult({ lines: found, timings, width, height }: Reading): void {
  // It may be about a file that was given while this picture was being read. What can be tried again stays.
  if (!retried) hideProblem();
  lines.show(found, { width, height });
  copy.disabled = found.length === 0;
  placeholder.textContent = 'No text was found in this picture.';
  placeholder.hidden = found.length > 0;
  element('time-detect').textContent =
    duration(timings.detectPreprocess + timings.detect + timings.detectPostprocess);
  element('time-recognize').textContent =
    duration(timings.classify + timings.recognizePreprocess + timings.recognize);
  progress.resting(
    found.length > 0
      ? `${countOfLines(found.length)} read in ${duration(timings.total)}.`
      : `No text was found, in ${duration(timings.total)}.`,
  );
}

async function loadModels(): Promise<void> {
  // On a slow network the first number takes its time.
  if (!client.loading) progress.working('Downloading the models…', `about ${usualSize}`, undefined);
  const { download, prepare, bytes } = await client.load(showLoading);
  element('time-download').textContent = `${duration(download)}, ${megabytes(bytes)} MB`;
  element('time-prepare').textContent = duration(prepare);
}

/** Something is opened: says so, unless the picture before it is still being read. */
function showOpening(): void {
  if (!current) progress.working('Opening the picture…', '', undefined);
}

/** Something could not be opened. What was read before it stays. */
function refuse(message: string, again?: () => void): void {
  if (!current) progress.resting();
  showProblem(message, again);
}

/** Reads a picture and shows what it says. A newer picture takes the place of one that is still being read. */
async function read(file: Blob, turn = ++newest): Promise<void> {
  showOpening();
  let bitmap: ImageBitmap;
  try {
    bitmap = await decodePicture(file);
  } catch (error) {
    if (turn > accepted) refuse(error instanceof PictureError ? error.message : `That went wrong: ${String(error)}`);
    return;
  }
  if (turn < accepted) {
    bitmap.close();
    return;
  }
  accepted = turn;
  current?.abort();
  const { signal } = (current = new AbortController());
  hideProblem();
  clearResult();
  showPicture(file);
  element('lines').setAttribute('aria-busy', 'true');
  let problem = loadProblem;
  try {
    await loadModels();
    if (signal.aborted) return;
    problem = (error) => `The picture could not be read: ${(error as Error).message}`;
    showResult(await client.read(bitmap, showReading, signal));
  } catch (error) {
    if (signal.aborted) return;
    progress.resting('Nothing was read.');
    showProblem(problem(error), () => void read(file));
  } finally {
    // Without effect where the worker has it.
    bitmap.close();
    if (!signal.aborted) {
      current = undefined;
      element('lines').removeAttribute('aria-busy');
    }
  }
}

async function readSample(): Promise<void> {
  const turn = ++newest;
  showOpening();
  let sample: Blob;
  try {
    sample = await samplePicture();
  } catch (error) {
    if (turn > accepted) refuse(`The sample could not be loaded: ${(error as Error).message}.`, () => void readSample());
    return;
  }
  if (turn > accepted) await read(sample, turn);
}

workOffline();

takePictures(
  { file: element<HTMLInputElement>('file'), drop },
  { onFile: (file) => void read(file), onNothing: (message) => showProblem(message) },
);

element('sample').addEventListener('click', () => void readSample());

retry.addEventListener('click', () => {
  const again = retried;
  hideProblem();
  again?.();
});

copy.addEventListener('click', async () => {
  try {
    await copyText(lines.text);
    copy.textContent = 'Copied';
    setTimeout(() => (copy.textContent = 'Copy'), 2000);
  } catch {
    showProblem('The browser did not let the text be copied. Select it and press Ctrl+C.');
  }
});
