import sampleUrl from './sample.jpg';

let fetched: Promise<Blob> | undefined;

async function fetchSample(): Promise<Blob> {
  const response = await fetch(sampleUrl).catch(() => {
    throw new Error('the server cannot be reached');
  });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response.blob();
}

/** The sample picture, which is fetched once; a failure is not kept. */
export function samplePicture(): Promise<Blob> {
  fetched ??= fetchSample().catch((error: unknown) => {
    fetched = undefined;
    throw error;
  });
  return fetched;
}
