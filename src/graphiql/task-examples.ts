import type { Example } from './examples.js';

const spaceId = '$DEMO_SPACE';

/** To-dos, and work that runners do. */
export const taskExamples: readonly Example[] = [
  {
    name: 'What is to be done',
    query: `query Tasks(
  $spaceId: ID!
  $filter: TaskFilter
) {
  space(by: { id: $spaceId }) {
    name
    tasks(
      filter: $filter
      orderBy: PRIORITY
      first: 20
    ) {
      totalCount
      nodes {
        id
        type
        title
        status
        progress
        dueAt
        assignee {
          name
        }
      }
    }
  }
}`,
    variables: { spaceId, filter: null },
  },
  {
    name: 'My tasks',
    query: `query MyTasks {
  viewer {
    tasks(first: 10) {
      nodes {
        title
        status
        version
        events(last: 3) {
          nodes {
            seq
            kind
            status
            progress
            payload
            createdAt
          }
        }
      }
    }
  }
}`,
    variables: {},
  },
  {
    name: 'Add a to-do',
    query: `mutation AddTodo($input: CreateTaskInput!) {
  createTask(input: $input) {
    task {
      id
      status
      version
    }
    eventCursor
  }
}`,
    variables: { input: { spaceId, title: 'Water the north bed', priority: 5 } },
  },
  {
    name: 'Let Canopy do something',
    query: `# It is queued and runs behind the request,
# with your rights. Look at "My tasks" after.
mutation VerifyTree($input: CreateTaskInput!) {
  createTask(input: $input) {
    task {
      id
      status
      parameters
    }
  }
}`,
    variables: { input: { spaceId, type: 'tree.checksum', parameters: { pathPrefix: '/beds' } } },
  },
  {
    name: 'Export a space',
    query: `# A file of yours with all that you may
# read there. "What came of exports" has
# its address; import it elsewhere with
# the type space.import and its fileId.
mutation ExportSpace($input: CreateTaskInput!) {
  createTask(input: $input) {
    task {
      id
      status
    }
  }
}`,
    variables: { input: { spaceId, type: 'space.export', parameters: { fileVersions: 'CURRENT' } } },
  },
  {
    name: 'What came of exports',
    query: `query Exports($spaceId: ID!, $filter: TaskFilter) {
  space(by: { id: $spaceId }) {
    tasks(filter: $filter, first: 5) {
      nodes {
        status
        progress
        result
        resultLocation
        error {
          code
          message
        }
      }
    }
  }
}`,
    variables: { spaceId, filter: { type: 'space.export' } },
  },
  {
    name: 'Take a task, as a runner outside',
    query: `# Report with the leaseToken, or it is
# queued again after a minute.
mutation ClaimTask($input: ClaimTaskInput!) {
  claimTask(input: $input) {
    leaseToken
    task {
      id
      type
      parameters
      attempt
      leaseExpiresAt
    }
  }
}`,
    variables: { input: { spaceId, types: ['acme.render'] } },
  },
  {
    name: 'A task and its history',
    query: `query TaskHistory($id: ID!) {
  task(id: $id) {
    title
    status
    progress
    assignee {
      name
    }
    events(first: 20) {
      nodes {
        seq
        kind
        status
        payload
        createdAt
      }
    }
    comments(first: 5) {
      nodes {
        content
      }
    }
  }
}`,
    variables: { id: '$DEMO_TASK' },
  },
  {
    name: 'Say how far a task is',
    query: `mutation ReportProgress($input: ReportTaskProgressInput!) {
  reportTaskProgress(input: $input) {
    task {
      status
      progress
      version
    }
  }
}`,
    variables: { input: { id: '$DEMO_TASK', progress: 60, logs: ['Row 3 is sown.'] } },
  },
  {
    name: 'Live: changes of tasks',
    query: `# Run it, then add a to-do from
# another window.
subscription TaskChanged($spaceId: ID!) {
  taskChanged(spaceId: $spaceId) {
    cursor
    type
    task {
      title
      status
      progress
    }
  }
}`,
    variables: { spaceId },
  },
  {
    name: 'Live: the history of a task',
    query: `# Run it, then say how far the task is in
# another window.
subscription TaskProgress($taskId: ID!) {
  taskProgress(taskId: $taskId) {
    seq
    kind
    status
    progress
    payload
  }
}`,
    variables: { taskId: '$DEMO_TASK' },
  },
];
