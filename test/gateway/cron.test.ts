import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startGateway, type TestGateway } from '../support/gateway.js';

const cronSecret = 'a secret of the clock';
let gateway: TestGateway;
let closed: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ cronSecret });
  closed = await startGateway();
});
afterAll(async () => {
  await gateway.close();
  await closed.close();
});

const call = (path: string, authorization?: string, { url } = gateway) =>
  fetch(`${url}/api/cron/${path}`, { method: 'POST', headers: authorization ? { authorization } : {} });

test('does what is due for whoever knows the secret, and nobody else', async () => {
  const add = () => gateway.app.database.query(`select canopy_add_jobs('[{"name":"clean-up","payload":{}}]')`, []);
  const waiting = async () =>
    (
      await gateway.app.database.query(
        `select from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id where t.identifier = 'clean-up'`,
        [],
      )
    ).length;
  await add();
  for (const authorization of [undefined, 'Bearer wrong', `Bearer ${cronSecret} `.repeat(2)])
    expect((await call('jobs', authorization)).status).toBe(401);
  expect(await waiting()).toBe(1);
  expect((await call('jobs', `Bearer ${cronSecret}`)).status).toBe(200);
  expect(await waiting()).toBe(0);
});

test.each(['cleanup', 'lifecycle'])('the clock may ask for %s', async (path) => {
  expect((await call(path, `Bearer ${cronSecret}`)).status).toBe(200);
  expect(
    (await fetch(`${gateway.url}/api/cron/${path}`, { headers: { authorization: `Bearer ${cronSecret}` } })).status,
  ).toBe(200);
});

test('other paths, other methods and a gateway without a secret have nothing there', async () => {
  expect((await call('jobs/', `Bearer ${cronSecret}`)).status).toBe(404);
  expect((await call('constructor', `Bearer ${cronSecret}`)).status).toBe(404);
  expect((await call('jobs', `Bearer ${cronSecret}`, closed)).status).toBe(404);
  const put = await fetch(`${gateway.url}/api/cron/jobs`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${cronSecret}` },
  });
  expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, POST']);
});
