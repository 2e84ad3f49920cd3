import { InvalidArgumentError, internal } from '../index.js';

/**
 * Pixels, as an `ImageData` has them: 4 bytes each (red, green, blue, alpha; alpha not premultiplied), rows
 * from the top.
 */
export interface Picture {
  /** 4 * width * height bytes. */
  readonly data: Uint8ClampedArray | Uint8Array;
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
}

/** @throws InvalidArgumentError when it is no picture, or sizes and bytes do not fit */
export function checkPicture(picture: Picture): void {
  if (typeof picture !== 'object' || picture === null || !('data' in picture)) {
    const got = internal.shown(picture);
    const hint = /^(HTML|Image|Offscreen|Video)/.test(got) ? " (draw it to a canvas, whose context's getImageData gives its pixels)" : '';
    throw new InvalidArgumentError(`a picture is an ImageData, or an object of data, width and height; got ${got}${hint}`);
  }
  const { data, width, height } = picture;
  for (const side of [width, height]) {
    if (!Number.isSafeInteger(side) || side < 1) {
      throw new InvalidArgumentError(
        `a picture's width and height must be whole numbers > 0, got ${width} x ${height}`,
      );
    }
  }
  if (!ArrayBuffer.isView(data) || data.BYTES_PER_ELEMENT !== 1) {
    throw new InvalidArgumentError(`a picture's data must be a Uint8ClampedArray or Uint8Array of RGBA, got ${internal.shown(data)}`);
  }
  if (data.length !== 4 * width * height) {
    throw new InvalidArgumentError(
      `a picture of ${width} x ${height} has ${4 * width * height} bytes of RGBA, got ${data.length}`,
    );
  }
}
