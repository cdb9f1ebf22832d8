/** The inspector page alone, before a stand-in gateway. One browser serves all of it: it takes longest to start. */
import { afterAll, beforeAll } from 'vitest';
import { type Bench, createBench } from './inspector-page.ts';
import { pageAccessTests } from './page-access.ts';
import { pageChatTests } from './page-chat.ts';
import { pageLiveTests } from './page-live.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

pageLiveTests(() => bench);
pageChatTests(() => bench);
pageAccessTests(() => bench);
