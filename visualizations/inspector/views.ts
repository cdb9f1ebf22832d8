/** The tabs of a phone: one of chat, chart and work at a time. Wider windows show all three side by side. */

/** Takes the tabs from the page; the answer shows one of them. */
export function createViews(): (view: string) => void {
  const tabs = [...document.querySelectorAll<HTMLButtonElement>('.views [role="tab"]')];
  const show = (view: string) => {
    document.body.dataset.view = view;
    for (const tab of tabs) {
      const isShown = tab.dataset.view === view;
      tab.setAttribute('aria-selected', String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
    }
  };
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener('click', () => show(tab.dataset.view ?? ''));
    tab.addEventListener('keydown', ({ key }) => {
      const by = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
      if (by === 0) return;
      const next = tabs.at((index + by) % tabs.length);
      next?.focus();
      next?.click();
    });
  }
  show('chat');
  return show;
}
