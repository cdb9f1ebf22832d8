/** Single keys, as the `?` list in index.html names them. Off while a person writes, and with a modifier held. */

export interface Keys {
  readonly write: () => void;
  readonly chart: () => void;
  readonly theme: () => void;
  readonly help: () => void;
  readonly escape: () => void;
}

export function listenToKeys(keys: Keys): void {
  const actions: Readonly<Record<string, () => void>> = {
    '/': keys.write,
    g: keys.chart,
    t: keys.theme,
    '?': keys.help,
    Escape: keys.escape,
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const isWriting = event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLInputElement;
    if (isWriting && event.key !== 'Escape') return;
    const action = actions[event.key];
    if (action === undefined || document.querySelector('dialog[open]') !== null) return;
    if (event.key !== 'Escape') event.preventDefault();
    action();
  });
}
