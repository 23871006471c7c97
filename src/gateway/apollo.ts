import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import type { App, Ctx } from '../core/context.js';
import { type Documents, maxErrors, operationOf } from './documents.js';
import { run } from './execution/run.js';
import { faultStatus, formatError, retryAfter } from './format-error.js';
import { takesModern } from './http/graphql.js';
import type { Exchange } from './http/request.js';

/** A context that came over HTTP. */
type HttpCtx = Ctx & { readonly exchange?: Exchange };

/** Apollo Server around our documents and our executor: what has been prepared is neither parsed nor validated again. */
export function apolloServer(app: App, schema: GraphQLSchema, documents: Documents): ApolloServer<Ctx> {
  return new ApolloServer<Ctx>({
    gateway: {
      async load() {
        return {
          async executor({ document, operationName, request, context }) {
            const operation = operationOf(document, operationName);
            if (operation instanceof GraphQLError) throw operation;
            return run(schema, { document, operation, variables: request.variables, ctx: context as Ctx });
          },
        };
      },
      onSchemaLoadOrUpdate(listen) {
        listen({ apiSchema: schema, coreSupergraphSdl: '' });
        return () => {};
      },
      async stop() {},
    },
    documentStore: {
      get: async (key) => documents.byHash(key.slice(key.lastIndexOf(':') + 1)),
      set: async () => {},
      delete: async () => false,
    },
    formatError: (formatted) => formatted,
    csrfPrevention: false,
    introspection: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    plugins: [ApolloServerPluginCacheControlDisabled(), ApolloServerPluginLandingPageDisabled(), answers(app)],
  });
}

/** Names errors, and gives the answer the status that its media type wants. */
function answers(app: App): ApolloServerPlugin<Ctx> {
  return {
    async requestDidStart({ contextValue }) {
      const { exchange } = contextValue as HttpCtx;
      return {
        async willSendResponse({ response, errors }) {
          if (response.body.kind !== 'single') return;
          const { singleResult } = response.body;
          const { requestId } = contextValue.request;
          if (contextValue.degraded.size > 0) singleResult.extensions = { degraded: [...contextValue.degraded] };
          if (!errors || errors.length === 0) return;
          const whole = singleResult.data == null;
          // Refused as a whole, a request may have any number of wrong variables.
          const shown = (whole ? errors.slice(0, maxErrors) : errors).map(
            (error): GraphQLFormattedError => formatError(error, requestId, app.log),
          );
          singleResult.errors = shown;
          const code = shown[0]?.extensions?.['code'];
          if (exchange) exchange.code = code as Exchange['code'];
          const fault =
            whole || Object.values(singleResult.data ?? {}).every((value) => value === null) ? faultStatus(code) : null;
          const refused = singleResult.data === undefined && takesModern(exchange?.request.headers.accept) ? 400 : 200;
          response.http.status = fault ?? refused;
          const after = retryAfter(code, shown[0]?.extensions?.['retryAfterSeconds']);
          if (after !== null) response.http.headers.set('retry-after', after);
        },
      };
    },
  };
}
