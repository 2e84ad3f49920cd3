// The browser's own classes fit.
import { configure, Session, Tensor } from 'kinglet';
import { TextReader } from 'kinglet/ocr';

export async function sources(file: File, response: Response, canvas: CanvasRenderingContext2D, module: WebAssembly.Module) {
  const { signal } = new AbortController();
  await Session.load('/model.onnx', { signal });
  await Session.load(new URL('model.onnx', location.href));
  await Session.load(new Request('/model.onnx'));
  await Session.load(file);
  await Session.load(new Blob([]));
  await Session.load(response);
  await Session.load(response.body!);
  await Session.load(file.stream());
  await Session.load(await response.arrayBuffer());
  await Session.load(new Uint8Array());
  await Session.load(new DataView(new ArrayBuffer(1)), { wasm: module, externalData: { a: file } });
  configure({ wasm: new URL('simd.wasm', location.href) });
  configure({ wasm: { simd: response, relaxed: module } });
  configure({ wasm: new Uint8Array() });
  const pixels: ImageData = canvas.getImageData(0, 0, 1, 1);
  const reader = await TextReader.load({ detector: file, recognizer: response, dictionary: new Blob([]) }, { signal });
  await reader.read(pixels, { signal });
  new Tensor('uint8', pixels.data, [1, 1, 4]);
}
