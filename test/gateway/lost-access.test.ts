import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { post, tokenOf } from '../support/client.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { socketTo, type TestSocket } from '../support/socket.js';

let gateway: TestGateway;
let ada: { authorization: string };
let grace: { authorization: string };
let graceId: string;
const open: TestSocket[] = [];
beforeAll(async () => {
  gateway = await startGateway();
  ada = await tokenOf(gateway);
  grace = await tokenOf(gateway, 1);
  graceId = (await ask('{ viewer { user { id } } }', {}, grace)).viewer.user.id;
});
afterAll(() => gateway.close());
afterEach(() => {
  for (const { socket } of open.splice(0)) socket.terminate();
});

async function ask(query: string, variables: object = {}, as = ada) {
  const { body } = await post(gateway.url, { query, variables }, as);
  if (body.errors) throw new Error(JSON.stringify(body.errors));
  return body.data;
}
const change = (name: string, answer: string, input: object) =>
  ask(`mutation ($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${answer} } }`, {
    input,
  });

/** A space of Ada's in which Grace reads, with a chat and a task. */
async function stage(visibility: 'PRIVATE' | 'PUBLIC') {
  const { createSpace } = await change('createSpace', 'space { id }', {
    slug: `s-${Math.random().toString(36).slice(2, 10)}`,
    name: 'Beds',
    visibility,
  });
  const spaceId = createSpace.space.id;
  await gateway.app.database.prisma.spaceMember.create({ data: { spaceId, userId: graceId, role: 'VIEWER' } });
  gateway.app.memory.forgetAll();
  const { createChat } = await change('createChat', 'chat { id }', { spaceId, title: 'Beans' });
  const { createTask } = await change('createTask', 'task { id }', { spaceId, type: 'manual', title: 'Dig' });
  return { spaceId, chatId: createChat.chat.id, taskId: createTask.task.id };
}

const subscriptions: readonly (readonly [string, string])[] = [
  ['events', 'subscription ($spaceId: ID!) { events(spaceId: $spaceId, types: ["tree.written"]) { __typename } }'],
  ['treeChanged', 'subscription ($spaceId: ID!) { treeChanged(spaceId: $spaceId) { __typename } }'],
  ['taskChanged', 'subscription ($spaceId: ID!) { taskChanged(spaceId: $spaceId) { __typename } }'],
  ['taskProgress', 'subscription ($taskId: ID!) { taskProgress(taskId: $taskId) { __typename } }'],
  ['chatStream', 'subscription ($chatId: ID!) { chatStream(chatId: $chatId) { __typename } }'],
];

describe.each([
  ['PRIVATE', 'NOT_FOUND'],
  ['PUBLIC', 'FORBIDDEN'],
] as const)('who is removed from a %s space in which nothing else happens', (visibility, code) => {
  test(`hears ${code} of each subscription that they may have no more, on a connection that stays`, async () => {
    const { spaceId, ...ids } = await stage(visibility);
    const socket = await socketTo(gateway.url);
    open.push(socket);
    await socket.init(grace);
    // What a public space shows to all goes on.
    const lost = subscriptions.filter(([name]) => visibility === 'PRIVATE' || name !== 'treeChanged');
    for (const [name, query] of lost) socket.subscribe(name, query, { spaceId, ...ids });
    // Each is there once a later one that is refused was answered.
    expect((await socket.refusal('subscription { events(spaceId: "none") { __typename } }'))[0]?.extensions.code).toBe(
      'NOT_FOUND',
    );
    await change('removeSpaceMember', 'eventCursor', { spaceId, userId: graceId });
    for (const [name] of lost) {
      const { payload } = await socket.hear(({ id, payload: said }) => id === name && said?.errors !== undefined);
      expect({ name, code: payload.errors[0].extensions.code }).toEqual({ name, code });
      await socket.hear(({ id, type }) => id === name && type === 'complete');
    }
    socket.say({ type: 'ping' });
    await socket.hear(({ type }) => type === 'pong');
  }, 60_000);
});
