import { InvalidArgumentError } from '../index.js';

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

/** @throws InvalidArgumentError when sizes and bytes do not fit */
export function checkPicture(picture: Picture): void {
  const { data, width, height } = picture ?? {};
  for (const side of [width, height]) {
    if (!Number.isSafeInteger(side) || side < 1) {
      throw new InvalidArgumentError(
        `a picture's width and height must be whole numbers > 0, got ${width} x ${height}`,
      );
    }
  }
  if (!ArrayBuffer.isView(data) || data.BYTES_PER_ELEMENT !== 1) {
    throw new InvalidArgumentError("a picture's data must be a Uint8ClampedArray or Uint8Array of RGBA");
  }
  if (data.length !== 4 * width * height) {
    throw new InvalidArgumentError(
      `a picture of ${width} x ${height} has ${4 * width * height} bytes of RGBA, got ${data.length}`,
    );
  }
}
