/** The chat: the messages with their decisions, and the input with what would happen to a message now. */
import { byId, el, fill, setText } from './dom.ts';
import { glyph } from './glyphs.ts';
import { authorOf, decisionWords, GATEWAY, type Message } from './message.ts';
import type { View } from './view.ts';
import { admissionHint, minuteWords, momentWords } from './words.ts';

export interface Chat {
  readonly draw: (view: View) => void;
  readonly drawMessages: (messages: readonly Message[]) => void;
  readonly focus: () => void;
  readonly leave: () => void;
}

/** Takes the chat from the page. `send` is called with what a person wrote, never with an empty text. */
export function createChat(isLive: () => boolean, send: (text: string) => void): Chat {
  const input = byId('input', HTMLTextAreaElement);
  const hint = byId('hint', HTMLElement);
  const form = byId('compose', HTMLFormElement);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = input.value.trim();
    // Not connected: the text stays where it is, and the line below says so.
    if (text === '' || !isLive()) return;
    input.value = '';
    send(text);
  });
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  return {
    draw: (view) => setText(hint, hintWords(view)),
    drawMessages: createMessageList(byId('messages', HTMLElement)),
    focus: () => input.focus(),
    leave: () => input.blur(),
  };
}

function hintWords({ link, gone, status }: View): string {
  if (link === 'unauthorised') return 'This browser has no access to the gateway.';
  if (gone !== null || link === 'lost') return 'Not connected. What you write stays here.';
  return status === null ? 'Connecting.' : admissionHint(status);
}

/** How far from its end the list may stand and still follow what is new, in pixels. */
const END_PIXELS = 24;

/** One element a message, kept as long as the message is: opened boxes, selections and focus survive. */
function createMessageList(list: HTMLElement): (messages: readonly Message[]) => void {
  const none = byId('messages-none', HTMLElement);
  // What scrolls must be reachable for a keyboard, in browsers that do not see to it themselves.
  list.tabIndex = 0;
  const drawn = new Map<string, { readonly box: HTMLElement; message: Message }>();
  return (messages) => {
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < END_PIXELS;
    none.hidden = messages.length > 0;
    const ids = new Set(messages.map(({ id }) => id));
    for (const [id, { box }] of drawn) {
      if (ids.has(id)) continue;
      box.remove();
      drawn.delete(id);
    }
    for (const message of messages) {
      const known = drawn.get(message.id);
      if (known?.message === message) continue;
      const box = known?.box ?? createMessageBox(message);
      if (known === undefined) list.append(box);
      drawn.set(message.id, { box, message });
      drawMessage(box, message);
    }
    if (isAtEnd) list.scrollTop = list.scrollHeight;
  };
}

function createMessageBox({ id, text, sentAtMs }: Message): HTMLElement {
  const because = el('dl', { class: 'because', id: `because-${id}`, hidden: true });
  const decision = el('button', {
    class: 'decision',
    type: 'button',
    'aria-expanded': 'false',
    'aria-controls': because.id,
  });
  decision.addEventListener('click', () => {
    because.hidden = !because.hidden;
    decision.setAttribute('aria-expanded', String(!because.hidden));
  });
  return el(
    'div',
    { class: 'exchange', 'data-message': id },
    el(
      'div',
      { class: 'message' },
      who('you', sentAtMs),
      el('div', { class: 'said' }, text),
      decision,
      because,
    ),
    el('div', { class: 'replies' }),
    // A text that grows letter by letter must not be read out letter by letter: the finished reply is.
    el('div', { class: 'growing', 'aria-live': 'off' }),
  );
}

function drawMessage(box: HTMLElement, message: Message): void {
  const part = (name: string) => {
    const found = box.querySelector<HTMLElement>(`.${name}`);
    if (found === null) throw new Error(`a message has no .${name}`);
    return found;
  };
  const { decision, problem, decidedAtMs } = message;
  const words = decisionWords(message);
  const admission = problem === null ? decision?.admission : 'refuse';
  fill(part('decision'), [words, admission], () => [
    ...(admission === undefined ? [] : [glyph(admission)]),
    el('span', {}, words),
  ]);
  const reasons = reasonsOf(message);
  fill(part('because'), reasons, () =>
    reasons.map(([term, value]) => el('div', {}, el('dt', {}, term), el('dd', {}, value))),
  );
  const author = authorOf(message);
  const notes = problem === null ? (decision?.text ?? null) : `${problem.message} ${problem.hint}`;
  fill(part('replies'), [author, notes, message.replies], () => [
    ...(notes === null ? [] : [said('div', GATEWAY, notes, decidedAtMs)]),
    ...message.replies.map((reply) => said(replyTag(message), author, reply, decidedAtMs)),
  ]);
  const { streaming } = message;
  const growing = part('growing').querySelector('.said');
  if (streaming !== null && growing !== null) {
    setText(growing, streaming);
    return;
  }
  const written = streaming === null ? [] : [said(replyTag(message), author, streaming, decidedAtMs)];
  written[0]?.querySelector('.said')?.classList.add('streaming');
  part('growing').replaceChildren(...written);
}

function reasonsOf({
  id,
  decision,
  decidedAtMs,
  decidedIn,
  settled,
  problem,
}: Message): (readonly [term: string, value: string])[] {
  if (problem !== null)
    return [
      ['error', problem.code],
      ['because', problem.message],
      ['next', problem.hint],
    ];
  if (decision === null) return [['id', id]];
  const { kind, reason, messageId, recorded } = decision;
  const outcome =
    settled === null ? 'open' : [settled.outcome, settled.outcomeReason].filter(Boolean).join(': ');
  return [
    ['received', `${momentWords(decidedAtMs)} · local`],
    ['kind', kind],
    ...(decidedIn === null ? [] : [['state', decidedIn] as const]),
    ...(reason === null ? [] : [['rule', reason] as const]),
    ['outcome', outcome],
    ...(recorded ? [] : [['recorded', 'no'] as const]),
    ['message', messageId],
  ];
}

/** What a program printed keeps its columns. */
function replyTag({ decision }: Message): 'pre' | 'div' {
  return decision?.kind === 'exec' && decision.admission !== 'refuse' ? 'pre' : 'div';
}

function said(tag: 'pre' | 'div', author: string, text: string, atMs: number): HTMLElement {
  return el('div', { class: 'message' }, who(author, atMs), el(tag, { class: 'said' }, text));
}

function who(name: string, atMs: number): HTMLElement {
  return el('div', { class: 'who' }, el('b', {}, name), el('span', {}, minuteWords(atMs)));
}
