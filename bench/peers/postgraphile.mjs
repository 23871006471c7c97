import { createServer } from 'node:http';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { connection } from 'postgraphile/grafast';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { extendSchema, gql } from 'postgraphile/utils';

/**
 * The same API by PostGraphile: the tables as they are, the two reads as plans over them, the changes as functions of
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

const preset = {
  extends: [PostGraphileAmberPreset],
  plugins: [treeReads],
  // It would call `treeNode` what finds a node by its global id.
  disablePlugins: ['NodeAccessorPlugin'],
  pgServices: [makePgService({ connectionString: process.env.DATABASE_URL, schemas: ['public', 'bench'], poolConfig: { max: 10 } })],
  grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false },
  grafast: { explain: false },
};

const server = createServer();
await postgraphile(preset).createServ(grafserv).addTo(server);
server.listen(Number(process.env.PORT), '127.0.0.1');
