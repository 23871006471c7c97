import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Example, examples, filled } from '../../src/graphiql/examples.js';
import { startWorker } from '../../src/jobs/worker.js';
import type { Worker } from '../../src/platform/queue/queue.js';
import { eventually } from '../support/eventually.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { socketTo } from '../support/socket.js';

let gateway: TestGateway;
let worker: Worker;
beforeAll(async () => {
  gateway = await startGateway();
  worker = await startWorker(gateway.app, 1);
});
afterAll(async () => {
  await worker?.stop();
  await gateway?.close();
});

// In their order, as someone would try them out; each twice, because people do.
const isLive = ({ query }: Example) => /^subscription/m.test(query);
const operations = examples.filter((example) => !isLive(example));
const authorization = () => `Bearer ${gateway.demo.apiKeys[0]?.key}`;

test.each([...operations, ...operations.filter(({ name }) => !/invite/i.test(name))])(
  'the example "$name" runs in the demo world',
  async (example) => {
    const { data, errors } = await ask(example);
    expect(errors).toBeUndefined();
    expect(data).toBeTruthy();
  },
);

test('each example that follows something hears of what the others do', async () => {
  const socket = await socketTo(gateway.url, { headers: { authorization: authorization() } });
  socket.say({ type: 'connection_init' });
  await socket.hear(({ type }) => type === 'connection_ack');
  const followed = examples.filter(isLive);
  for (const { name, query, variables } of followed) {
    const payload = { query, variables: JSON.parse(filled(variables, gateway.demo)) };
    socket.say({ id: name, type: 'subscribe', payload });
  }
  const changes = operations.filter(({ name, query }) => /^mutation/m.test(query) && !/invite/i.test(name));
  await eventually(async () => {
    for (const change of changes) await ask(change);
    const heard = new Set(socket.messages.flatMap(({ id, type }) => (type === 'next' ? [id] : [])));
    expect(followed.filter(({ name }) => !heard.has(name)).map(({ name }) => name)).toEqual([]);
  });
  expect(socket.messages.filter(({ type }) => type === 'error')).toEqual([]);
  socket.close();
});

async function ask({ query, variables }: Example) {
  const response = await fetch(gateway.demo.graphql, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: authorization() },
    body: JSON.stringify({ query, variables: JSON.parse(filled(variables, gateway.demo)) }),
  });
  return (await response.json()) as { data: unknown; errors?: unknown };
}
