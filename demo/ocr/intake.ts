/** Elements through which a picture comes in. */
export interface IntakeElements {
  file: HTMLInputElement;
  /** Gets the class `over` while a file is dragged over the page; opens the file chooser until it has the class `filled`. */
  drop: HTMLElement;
}

export interface IntakeHandlers {
  onFile(file: File): void;
  /** Something came that holds no file; the message is for the visitor. */
  onNothing(message: string): void;
}

/** Lets a visitor choose, drop (anywhere on the page) or paste a file. */
export function takePictures({ file, drop }: IntakeElements, { onFile, onNothing }: IntakeHandlers): void {
  file.addEventListener('change', () => {
    const [chosen] = file.files ?? [];
    if (chosen) onFile(chosen);
    // So that choosing the same file again is a change.
    file.value = '';
  });

  drop.addEventListener('click', () => {
    if (!drop.classList.contains('filled')) file.click();
  });

  let depth = 0;
  const leave = () => {
    depth = 0;
    drop.classList.remove('over');
  };
  document.addEventListener('dragenter', () => {
    depth += 1;
    drop.classList.add('over');
  });
  document.addEventListener('dragleave', () => {
    depth -= 1;
    if (depth <= 0) leave();
  });
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    leave();
    const [dropped] = event.dataTransfer?.files ?? [];
    if (dropped) onFile(dropped);
    else onNothing('That was no file. Save the picture first, then drop it here.');
  });

  document.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    const pasted = files.find(({ type }) => type.startsWith('image/')) ?? files[0];
    if (pasted) onFile(pasted);
    else onNothing('There is no picture in the clipboard.');
  });
}
