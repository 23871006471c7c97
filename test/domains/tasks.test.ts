import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Tasks, tasksOf } from '../support/tasks.js';
import { newSpace } from '../support/tenancy.js';
import { viewerOf, type World, world } from '../support/world.js';

let w: World;
let editor: Tasks;
let viewer: Tasks;
let admin: Tasks;
let owner: Tasks;
beforeAll(async () => {
  w = await world();
  [editor, viewer, admin, owner] = [w.editor, w.viewer, w.admin, w.owner].map((person) =>
    tasksOf(person, w.space.id),
  ) as [Tasks, Tasks, Tasks, Tasks];
});
afterAll(() => w.close());

test('a to-do waits for someone, is begun, and is done; its history tells of each step', async () => {
  const made = await editor.made({ title: ' Sow beans ', assigneeId: w.viewer.id, dueAt: '2027-03-01T00:00:00.000Z' });
  expect(made).toMatchObject({
    type: 'manual',
    title: 'Sow beans',
    status: 'PENDING',
    progress: 0,
    parameters: {},
    attempt: 0,
    version: 1,
    dueAt: '2027-03-01T00:00:00.000Z',
    owner: { id: w.editor.id },
    assignee: { id: w.viewer.id },
    error: null,
    result: null,
  });
  await editor.moved(made.id, 1, 'QUEUED');
  await editor.moved(made.id, 2, 'RUNNING');
  expect(await editor.report({ id: made.id, progress: 40, logs: ['half a bed'] })).toMatchObject({
    data: { reportTaskProgress: { task: { progress: 40, version: 3, attempt: 1 } } },
  });
  expect(await editor.complete({ id: made.id, result: { rows: 12 } })).toMatchObject({
    data: { completeTask: { task: { status: 'COMPLETED', progress: 100, result: { rows: 12 } } } },
  });
  const events = await viewer.events(made.id);
  expect(events.map(({ seq, kind, status, progress, payload }) => [seq, kind, status, progress, payload])).toEqual([
    [1, 'STATUS', 'PENDING', 0, { status: 'PENDING' }],
    [2, 'STATUS', 'QUEUED', 0, { status: 'QUEUED' }],
    [3, 'STATUS', 'RUNNING', 0, { status: 'RUNNING' }],
    [4, 'PROGRESS', null, 40, { progress: 40 }],
    [5, 'LOG', null, 40, { message: 'half a bed' }],
    [6, 'STATUS', 'COMPLETED', 100, { status: 'COMPLETED' }],
  ]);
});

const allowed: Readonly<Record<string, readonly string[]>> = {
  PENDING: ['QUEUED', 'RUNNING', 'CANCELLED'],
  QUEUED: ['RUNNING', 'CANCELLED'],
  RUNNING: ['COMPLETED', 'FAILED', 'CANCELLED', 'QUEUED', 'PENDING'],
  COMPLETED: [],
  FAILED: ['PENDING', 'QUEUED'],
  CANCELLED: ['PENDING', 'QUEUED'],
};
const statuses = Object.keys(allowed);

test.each(statuses)('from %s the database lets a task go where the contract says, and nowhere else', async (from) => {
  for (const to of statuses) {
    const { id } = await editor.made();
    const set = (status: string) =>
      w.app.database.query('update "Task" set status = $2::"TaskStatus" where id = $1', [id, status]);
    await w.app.database.query('alter table "Task" disable trigger "Task_transition"', []);
    await set(from);
    await w.app.database.query('alter table "Task" enable trigger "Task_transition"', []);
    if (allowed[from]?.includes(to)) await set(to);
    else await expect(set(to)).rejects.toThrow(`A task that is ${from} cannot become ${to}.`);
  }
});

test('an illegal move is a CONFLICT, and leaves the task as it was', async () => {
  const { id } = await editor.made({ title: 'Mow' });
  expect(await editor.update({ id, version: 1, status: 'COMPLETED', title: 'Mown' })).toMatchObject({
    code: 'CONFLICT',
    errors: [{ message: 'A task that is PENDING cannot become COMPLETED.' }],
  });
  expect(await editor.complete({ id })).toMatchObject({ code: 'CONFLICT' });
  expect(await editor.fail({ id, code: 'RAIN', message: 'It rained.' })).toMatchObject({ code: 'CONFLICT' });
  expect(await editor.report({ id, progress: 1 })).toMatchObject({ code: 'CONFLICT' });
  expect(await editor.retry(id)).toMatchObject({ code: 'CONFLICT' });
  expect(await editor.task(id)).toMatchObject({ status: 'PENDING', title: 'Mow', version: 1 });
  expect(await editor.statuses(id)).toEqual(['PENDING']);
});

test('of two changes to one version the second is refused and told the version', async () => {
  const { id } = await editor.made({ title: 'Rake', assigneeId: w.viewer.id });
  const change = { id, version: 1, title: 'Rake leaves', priority: 5, parameters: { bed: 3 } };
  expect(await editor.update(change)).toMatchObject({
    data: {
      updateTask: {
        task: { title: 'Rake leaves', priority: 5, parameters: { bed: 3 }, version: 2, assignee: { id: w.viewer.id } },
      },
    },
  });
  expect(await editor.update(change)).toMatchObject({
    code: 'CONFLICT',
    errors: [{ extensions: { currentVersion: 2 } }],
  });
  expect(await editor.update({ id, version: 2, title: null, assigneeId: null, status: 'RUNNING' })).toMatchObject({
    data: { updateTask: { task: { title: null, assignee: null, status: 'RUNNING', version: 3, priority: 5 } } },
  });
});

test('what cannot be is named: types, bounds, parameters, and who is no member', async () => {
  const refused = [
    [{ type: 'nonsense' }, 'type'],
    [{ type: 'Vendor.Thing' }, 'type'],
    [{ type: 'tree.checksums' }, 'type'],
    [{ title: ' ' }, 'title'],
    [{ priority: 101 }, 'priority'],
    [{ maxAttempts: 0 }, 'maxAttempts'],
    [{ parameters: [1] }, 'parameters'],
    [{ parameters: { a: 'x\u0000' } }, 'parameters'],
    [{ assigneeId: w.stranger.id }, 'assigneeId'],
    [{ assigneeId: 'user_00000000000000000000000000' }, 'assigneeId'],
    [{ type: 'tree.checksum', parameters: { depth: 1 } }, 'parameters'],
  ] as const;
  for (const [input, path] of refused)
    expect(await editor.create(input)).toMatchObject({
      code: 'BAD_USER_INPUT',
      errors: [{ extensions: { fields: [{ path }] } }],
    });
  expect(await editor.create({ parameters: { a: 'x'.repeat(300_000) } })).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
});

test('viewers look on, strangers cannot tell that a task exists', async () => {
  const { id } = await editor.made({ title: 'Prune' });
  expect(await viewer.task(id)).toMatchObject({ title: 'Prune' });
  const stranger = tasksOf(w.stranger, w.space.id);
  expect(await stranger.task(id)).toBeNull();
  for (const [name, input] of [
    ['update', { id, version: 1, title: 'Mine' }],
    ['report', { id, progress: 3 }],
    ['complete', { id }],
    ['fail', { id, code: 'X', message: 'x' }],
  ] as const) {
    expect(await viewer[name](input)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await stranger[name](input)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await tasksOf(w.nobody, w.space.id)[name](input)).toMatchObject({ code: 'UNAUTHENTICATED' });
  }
});

test('one’s own task is cancelled and retried by an editor, another’s by an admin', async () => {
  const { id } = await editor.made();
  const other = tasksOf(await w.member('Eve', w.space.id, 'EDITOR'), w.space.id);
  expect(await other.cancel(id)).toMatchObject({ code: 'FORBIDDEN' });
  expect(await editor.update({ id, version: 1, status: 'CANCELLED' })).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect(await editor.cancel(id)).toMatchObject({
    data: { cancelTask: { task: { status: 'CANCELLED', finishedAt: expect.any(String) } } },
  });
  expect(await editor.cancel(id)).toMatchObject({ code: 'CONFLICT' });
  expect(await other.retry(id)).toMatchObject({ code: 'FORBIDDEN' });
  expect(await admin.retry(id)).toMatchObject({
    data: { retryTask: { task: { status: 'PENDING', finishedAt: null } } },
  });
  expect(await admin.cancel(id)).toMatchObject({ data: { cancelTask: { task: { status: 'CANCELLED' } } } });
});

test('tasks are the members’ own, also in a public space', async () => {
  const { id: spaceId } = await newSpace(w.owner, { visibility: 'PUBLIC' });
  const { id } = await tasksOf(w.owner, spaceId).made({ title: 'Weed' });
  const list = 'query ($id: ID!) { space(by: { id: $id }) { tasks { totalCount nodes { id } } } }';
  expect((await w.owner.run(list, { id: spaceId })).data.space.tasks).toEqual({ totalCount: 1, nodes: [{ id }] });
  expect((await w.stranger.run(list, { id: spaceId })).data.space.tasks).toEqual({ totalCount: 0, nodes: [] });
  expect(await tasksOf(w.stranger, spaceId).task(id)).toBeNull();
  expect(await tasksOf(w.stranger, spaceId).create()).toMatchObject({ code: 'FORBIDDEN' });
});

test('who leaves a space is no longer assigned its tasks', async () => {
  const gone = await w.member('Gil', w.space.id, 'VIEWER');
  const { id } = await editor.made({ assigneeId: gone.id });
  await w.owner.run('mutation ($i: RemoveSpaceMemberInput!) { removeSpaceMember(input: $i) { removedUserId } }', {
    i: { spaceId: w.space.id, userId: gone.id },
  });
  expect(await editor.task(id)).toMatchObject({ assignee: null, status: 'PENDING' });
});

test('when an account is closed, what it asked for is cancelled, and its to-dos go to the heir or stay without an owner', async () => {
  const close = 'mutation ($i: DeleteUserInput!) { deleteUser(input: $i) { deletedUserId } }';
  for (const heir of [w.admin, null]) {
    const leaver = await w.member('Leo', w.space.id, 'EDITOR');
    const theirs = tasksOf(leaver, w.space.id);
    const todo = await theirs.made({ title: 'Sweep' });
    const asked = await theirs.made({ type: 'acme.render' });
    const done = await leaver.run(close, { i: heir ? { mode: 'TRANSFER', to: heir.id } : { mode: 'ANONYMIZE' } });
    expect(done.errors).toEqual([]);
    const owned = heir && { id: heir.id };
    expect(await owner.task(todo.id)).toMatchObject({ status: 'PENDING', owner: owned });
    expect(await owner.task(asked.id)).toMatchObject({ status: 'CANCELLED', owner: owned });
    expect(await owner.statuses(asked.id)).toEqual(['PENDING', 'QUEUED', 'CANCELLED']);
  }
});

test('an organization’s key adds tasks that nobody owns, and cancels anyone’s', async () => {
  const key = viewerOf('', { userId: null, apiKeyId: 'key_test', organizationId: w.organization.id });
  const program = tasksOf(w.client(key), w.space.id);
  expect(await program.made()).toMatchObject({ owner: null, status: 'PENDING' });
  const { id } = await editor.made();
  expect(await program.cancel(id)).toMatchObject({ data: { cancelTask: { task: { status: 'CANCELLED' } } } });
});

test('changes of tasks are heard as they happen, and again after a break', async () => {
  const document =
    'subscription ($id: ID!, $after: EventCursor) { taskChanged(spaceId: $id, after: $after) { cursor type version task { id status } } }';
  const heard = await w.viewer.hear(document, { id: w.space.id });
  const { id } = await editor.made();
  const next = async () => {
    for (;;) {
      const { taskChanged } = await heard.next();
      if (taskChanged.task?.id === id) return taskChanged;
    }
  };
  const created = await next();
  expect(created).toMatchObject({ type: 'task.created', version: 1, task: { status: 'PENDING' } });
  await editor.moved(id, 1, 'RUNNING');
  expect(await next()).toMatchObject({ type: 'task.started', version: 2, task: { status: 'RUNNING' } });
  await heard.stop();
  await editor.cancel(id);
  const again = await w.viewer.hear(document, { id: w.space.id, after: created.cursor });
  expect((await again.next()).taskChanged).toMatchObject({ type: 'task.started', task: { status: 'CANCELLED' } });
  expect((await again.next()).taskChanged).toMatchObject({ type: 'task.cancelled', version: 3 });
  await again.stop();
});
