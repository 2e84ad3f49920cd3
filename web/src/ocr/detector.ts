import type { Quad, TextBoxOptions } from '../core.js';
import { ModelError, type Session } from '../index.js';
import type { Instance } from '../instance.js';
import { internal } from '../index.js';
import type { Picture } from './picture.js';

/** How a picture is scaled for the detector. */
export interface DetectionSize {
  /** `long`: shrink until no side is above `side`. `short`: enlarge until no side is below `side`. */
  limit: 'long' | 'short';
  /** Pixels. */
  side: number;
}

export interface Detection {
  boxes: Quad[];
  /** Milliseconds. */
  preprocess: number;
  run: number;
  postprocess: number;
}

/** Copies the picture into the wasm heap, where it stays until `clearImage`. */
function setPicture(instance: Instance, { data, width, height }: Picture): void {
  const address = instance.call('setImage', width, height);
  instance.view(address, data.length).set(data);
}

/** Finds the lines of text in a picture, which stays in the session's instance for cutting lines out. */
export function detect(
  session: Session,
  picture: Picture,
  size: DetectionSize,
  options: TextBoxOptions,
): Promise<Detection> {
  return session.enqueue(async (instance) => {
    const start = performance.now();
    setPicture(instance, picture);
    const { width, height } = instance.call('detectionSize', size.limit === 'short', size.side);
    const input = instance.call('feed', session.inputs[0]!.name, 'float32', [1, 3, height, width]);
    instance.call('detectionInput', input, width, height);
    const prepared = performance.now();
    await internal.pause();

    const started = performance.now();
    const map = instance.runFloat32(session.outputs[0]!.name);
    const ran = performance.now();
    if (map.dims.length !== 4) {
      throw new ModelError(`the detector gives [${map.dims}], not a map [1,1,height,width]`);
    }
    const boxes = instance.call('textBoxes', map.address, map.dims[3]!, map.dims[2]!, options);
    return {
      boxes: boxes.map(({ box }) => instance.call('upright', box)),
      preprocess: prepared - start,
      run: ran - started,
      postprocess: performance.now() - ran,
    };
  });
}
