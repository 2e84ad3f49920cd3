// Node's own classes fit.
import { readFile } from 'node:fs/promises';
import { Session } from 'kinglet';

export async function sources() {
  await Session.load('model.onnx', { signal: AbortSignal.timeout(1000) });
  await Session.load(new URL('file:///model.onnx'));
  await Session.load(await readFile('model.onnx'));
  const response = await fetch('http://localhost/model.onnx');
  await Session.load(response);
  await Session.load(response.body!);
  await Session.load(new Blob([]));
}
