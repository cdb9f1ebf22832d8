/**
 * The inspector page: chat beside the live lifecycle chart. This file connects the parts; each draws the one
 * view that `store.ts` holds, and none knows another.
 */
import { ChartFocus } from './chart-focus.ts';
import { createChartView } from './chart-view.ts';
import { createChat } from './chat.ts';
import { followGateway } from './connection.ts';
import { byId } from './dom.ts';
import { createHeader } from './header.ts';
import { listenToKeys } from './keys.ts';
import { createNow } from './now.ts';
import { createOutbox } from './outbox.ts';
import { createStore } from './store.ts';
import { restoreTheme, switchTheme } from './theme.ts';
import { every } from './timers.ts';
import { drawLine } from './transition-line.ts';
import { createTransitionTable } from './transition-table.ts';
import { emptyView, stateOf, type View, withEvent, withLink } from './view.ts';
import { createViews } from './views.ts';

/** Ages and countdowns are in seconds. */
const TICK_MS = 1000;

function start(): void {
  restoreTheme();
  const store = createStore(emptyView(Date.now()), (view) => draw(view, Date.now()));
  const drawHeader = createHeader();
  const drawNow = createNow();
  const markTransition = createTransitionTable(byId('transitions', HTMLElement));
  const showView = createViews();
  const canvas = byId('canvas', HTMLElement);
  const chartView = createChartView(canvas, () => {
    focus.adopt();
    store.redraw();
  });
  const focus = new ChartFocus(canvas, chartView.drawing, store.redraw);
  const outbox = createOutbox(
    () => stateOf(store.view()),
    (messages) => chat.drawMessages(messages),
  );
  const chat = createChat(() => store.view().link === 'live', outbox.send);

  const draw = (view: View, nowMs: number) => {
    drawHeader(view, nowMs);
    chartView.draw(view, nowMs);
    drawLine(byId('line', HTMLElement), view, focus.subject, nowMs);
    markTransition(view.last?.transition.id ?? null);
    drawNow(view, nowMs);
    chat.draw(view);
  };

  const showChart = () => {
    showView('chart');
    focus.enter(stateOf(store.view()));
  };
  const help = byId('keys', HTMLDialogElement);
  const write = () => {
    showView('chat');
    chat.focus();
  };
  const letGo = () => {
    chat.leave();
    focus.deselect();
  };
  listenToKeys({ write, chart: showChart, theme: switchTheme, help: () => help.showModal(), escape: letGo });
  byId('theme', HTMLElement).addEventListener('click', switchTheme);
  switchAsTable();

  every(TICK_MS, store.redraw);
  void followGateway({
    onLink: (link) => {
      store.change((view) => withLink(view, link, Date.now()));
      outbox.setLive(link === 'live');
    },
    onEvent: (event) => store.change((view) => withEvent(view, event, Date.now())),
  });
}

/** The chart as a picture or as its table. */
function switchAsTable(): void {
  const button = byId('as-table', HTMLElement);
  const section = byId('chart', HTMLElement);
  const table = byId('transitions', HTMLElement);
  button.addEventListener('click', () => {
    const isTable = section.classList.toggle('as-table');
    button.setAttribute('aria-pressed', String(isTable));
    table.toggleAttribute('tabindex', isTable);
    if (isTable) table.tabIndex = 0;
  });
}

start();
