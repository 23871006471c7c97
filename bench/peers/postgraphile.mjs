import { createServer } from 'node:http';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { connection, constant, object } from 'postgraphile/grafast';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { extendSchema, gql } from 'postgraphile/utils';

/**
 * The same API by PostGraphile: the tables as they are, the reads as plans over them, the changes as functions of
 * the database (data/functions.sql). Each read is planned into one statement.
 */
const treeReads = extendSchema(({ pgResources: { TreeNode: nodes }, sql, dataplanPg: { TYPES } }) => ({
  typeDefs: gql`
    scalar TreePath
    extend type Query {
      treeNode(spaceId: ID!, path: TreePath!): TreeNode
      tree(spaceId: ID!, pathPrefix: TreePath!): TreeNodeConnection
    }
  `,
  objects: {
    Query: {
      plans: {
        treeNode(_, { $spaceId, $path }) {
          const $nodes = nodes.find({ spaceId: $spaceId, path: $path });
          $nodes.where(sql`${$nodes}."deletedAt" is null`);
          return $nodes.single();
        },
        tree(_, { $spaceId, $pathPrefix }) {
          const $nodes = nodes.find({ spaceId: $spaceId });
          const path = sql`${$nodes}.path`;
          const prefix = $nodes.placeholder($pathPrefix, TYPES.text);
          $nodes.where(sql`${$nodes}."deletedAt" is null`);
          $nodes.where(sql`${path} >= ${prefix} and ${path} < ${prefix} || '0' and (${path} = ${prefix} or ${path} > ${prefix} || '/')`);
          $nodes.orderBy({ attribute: 'path', direction: 'ASC' });
          $nodes.setOrderIsUnique();
          return connection($nodes);
        },
      },
    },
  },
}));

/** The viewer where nobody signs in: user 0 of data/dataset.sql. */
const viewerId = `user_${'0'.repeat(26)}`;

/** A list in the order of these attributes, all descending, of which the last is unique. */
function newestFirst($rows, attributes) {
  for (const attribute of attributes) $rows.orderBy({ attribute, direction: 'DESC' });
  $rows.setOrderIsUnique();
  return connection($rows);
}

const spaceReads = extendSchema(
  ({ pgResources: { Space: spaces, Task: tasks, Note: notes, User: users }, sql, dataplanPg: { TYPES } }) => ({
    typeDefs: gql`
      input SpaceBy { id: ID }
      type Viewer { spaces: SpaceConnection! }
      extend type Query {
        viewer: Viewer
        space(by: SpaceBy!): Space
      }
      extend type Space {
        tasks: TaskConnection!
        notes: NoteConnection!
      }
      extend type Task { assignee: User }
      extend type Note { author: User }
    `,
    objects: {
      Query: {
        plans: {
          viewer: () => object({ userId: constant(viewerId) }),
          space(_, fieldArgs) {
            const $spaces = spaces.find({ id: fieldArgs.getRaw(['by', 'id']) });
            $spaces.where(sql`${$spaces}."deletedAt" is null`);
            return $spaces.single();
          },
        },
      },
      Viewer: {
        plans: {
          spaces($viewer) {
            const $spaces = spaces.find();
            const user = $spaces.placeholder($viewer.get('userId'), TYPES.text);
            $spaces.where(sql`${$spaces}.id in (select m."spaceId" from "SpaceMember" m where m."userId" = ${user})`);
            $spaces.where(sql`${$spaces}."deletedAt" is null`);
            return newestFirst($spaces, ['id']);
          },
        },
      },
      Space: {
        plans: {
          tasks: ($space) => newestFirst(tasks.find({ spaceId: $space.get('id') }), ['createdAt', 'id']),
          notes: ($space) => newestFirst(notes.find({ spaceId: $space.get('id') }), ['id']),
        },
      },
      Task: { plans: { assignee: ($task) => users.get({ id: $task.get('assigneeId') }) } },
      Note: { plans: { author: ($note) => users.get({ id: $note.get('authorId') }) } },
    },
  }),
);

/** The column `id` keeps its name, which PostGraphile would give to a global id. */
const plainIds = {
  name: 'PlainIds',
  inflection: { replace: { _attributeName: (previous, _, details) => previous({ ...details, skipRowId: true }) } },
};

const preset = {
  extends: [PostGraphileAmberPreset],
  plugins: [plainIds, treeReads, spaceReads],
  // They would answer global ids, and call `treeNode` what finds a node by one.
  disablePlugins: ['NodeAccessorPlugin', 'NodePlugin'],
  pgServices: [makePgService({ connectionString: process.env.DATABASE_URL, schemas: ['public', 'bench'], poolConfig: { max: 10 } })],
  grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false },
  grafast: { explain: false },
};

const server = createServer();
await postgraphile(preset).createServ(grafserv).addTo(server);
server.listen(Number(process.env.PORT), '127.0.0.1');
