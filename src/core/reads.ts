import type { Prisma, PrismaClient } from '../generated/prisma/client.js';
import type { App, Viewer } from './context.js';
import { loadRoles } from './roles.js';
import { ruleWhere } from './rule.js';
import { visibility } from './visibility.js';

type Read = 'findUnique' | 'findFirst' | 'findMany' | 'count' | 'aggregate' | 'groupBy';

/** The Prisma client without its writes. */
export type Reads = {
  readonly [Model in Uncapitalize<Prisma.ModelName>]: Pick<PrismaClient[Model], Read>;
};

/** A client that reads what the viewer may see and nothing else. For reads that are neither hot nor regular; loaders do the others. */
export function readsFor(app: App, viewer: Viewer | null): Reads {
  return app.database.prisma.$extends({
    query: {
      $allModels: {
        async $allOperations({ model, args, query }) {
          const { where, ...rest } = args as { where?: { AND?: object | object[] } };
          const AND = [where?.AND ?? [], ruleWhere(visibility[model], await loadRoles(app, viewer))].flat();
          return query({ ...rest, where: { ...where, AND } } as typeof args);
        },
      },
    },
  }) as unknown as Reads;
}
