import type { Quad } from '../core.js';
import { ModelError, type Session } from '../index.js';
import type { Instance } from '../instance.js';

/** A text and how sure the recognizer is of it, [0, 1]. */
export interface Decoded {
  text: string;
  confidence: number;
}

/** Where a session's output lies until its next run. */
interface Output {
  address: number;
  dims: number[];
}

const floatBytes = 4;
const channels = 3;
// Inputs of few widths share their plans. PP-OCR is trained on lines that are padded.
const widthStep = 32;

/** Runs a session on float32 elements that another session's instance holds. */
function runOn<T>(
  session: Session,
  dims: number[],
  input: Uint8Array,
  use: (instance: Instance, output: Output) => T,
): Promise<T> {
  return session.enqueue((instance) => {
    const address = instance.call('feed', session.inputs[0]!.name, 'float32', dims);
    instance.view(address, input.length).set(input);
    return use(instance, instance.runFloat32(session.outputs[0]!.name));
  });
}

/** The line turned by half when the classifier finds it upside down. */
export function straighten(detector: Session, classifier: Session, quad: Quad): Promise<Quad> {
  return detector.enqueue(async (pictures) => {
    const { lineHeight: height, orientationWidth: width } = pictures.core;
    const address = pictures.call('classifierInput', quad);
    const input = pictures.view(address, floatBytes * channels * height * width);
    const turned = await runOn(classifier, [1, channels, height, width], input, (instance, output) => {
      const count = output.dims.reduce((product, dim) => product * dim, 1);
      return instance.call('isUpsideDown', output.address, count);
    });
    return turned ? pictures.call('halfTurn', quad) : quad;
  });
}

/** Reads one line of the picture that the detector's instance holds. Times are in milliseconds. */
export function recognize(
  detector: Session,
  recognizer: Session,
  quad: Quad,
): Promise<Decoded & { preprocess: number; run: number }> {
  return detector.enqueue(async (pictures) => {
    const start = performance.now();
    const height = pictures.core.lineHeight;
    const width = Math.ceil(pictures.call('lineWidth', quad) / widthStep) * widthStep;
    const address = pictures.call('recognizerInput', [quad], width);
    const input = pictures.view(address, floatBytes * channels * height * width);
    const prepared = performance.now();
    const decoded = await runOn(recognizer, [1, channels, height, width], input, (instance, output) => {
      const [, steps, classes] = output.dims;
      if (output.dims.length !== 3) {
        throw new ModelError(`the recognizer gives [${output.dims}], not [1,steps,classes]`);
      }
      return instance.call('decodeLine', output.address, steps!, classes!);
    });
    return { ...decoded, preprocess: prepared - start, run: performance.now() - prepared };
  });
}
