/** A file is no picture that can be read; the message is for the visitor. */
export class PictureError extends Error {
  override readonly name = 'PictureError';
}

const maxFileBytes = 64 * 2 ** 20;
// iOS gives no canvas of more pixels, and a line of text needs no more.
const maxPixels = 2 ** 24;

function shownName(file: Blob): string {
  const name = file instanceof File ? file.name : '';
  if (name === '') return 'That';
  return `“${name.length > 60 ? `${name.slice(0, 40)}…${name.slice(-16)}` : name}”`;
}

/**
 * Decodes a picture, turned upright by its EXIF orientation and shrunk to at most 16 megapixels.
 * @throws PictureError
 */
export async function decodePicture(file: Blob): Promise<ImageBitmap> {
  const name = shownName(file);
  if (file.size === 0) throw new PictureError(`${name} is empty.`);
  if (file.size > maxFileBytes) {
    throw new PictureError(
      `${name} is too large: ${Math.round(file.size / 2 ** 20)} MB. The limit is ${maxFileBytes / 2 ** 20} MB.`,
    );
  }
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    throw new PictureError(
      file.type.startsWith('image/')
        ? `${name} is not an image that can be read: it is broken, too large, or of a kind unknown to this browser.`
        : `${name} is not an image. PNG, JPEG, WebP, GIF and AVIF files can be read.`,
    );
  }
  const { width, height } = bitmap;
  if (width * height <= maxPixels) return bitmap;
  const scale = Math.sqrt(maxPixels / (width * height));
  const size = {
    resizeWidth: Math.max(1, Math.floor(width * scale)),
    resizeHeight: Math.max(1, Math.floor(height * scale)),
  };
  try {
    return await createImageBitmap(bitmap, { ...size, resizeQuality: 'high' });
  } catch {
    throw new PictureError(`${name} is too large: ${width} × ${height} pixels.`);
  } finally {
    bitmap.close();
  }
}
