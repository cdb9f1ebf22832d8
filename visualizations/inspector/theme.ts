/** Light or dark: the system's wish, until a person chooses; the choice is kept in this browser. */
const KEY = 'sluice.theme';

type Theme = 'light' | 'dark';

/** Applies a choice made earlier. */
export function restoreTheme(): void {
  const chosen = stored();
  if (chosen !== null) document.documentElement.dataset.theme = chosen;
}

/** Switches to the other one. */
export function switchTheme(): void {
  const next: Theme = current() === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // A browser that keeps nothing: the choice holds until the page is closed.
  }
}

function current(): Theme {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

function stored(): Theme | null {
  try {
    const chosen = localStorage.getItem(KEY);
    return chosen === 'light' || chosen === 'dark' ? chosen : null;
  } catch {
    return null;
  }
}
