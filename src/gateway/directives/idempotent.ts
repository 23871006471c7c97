import { createHash } from 'node:crypto';
import { type GraphQLFieldResolver, type GraphQLSchema, getDirectiveValues } from 'graphql';
import type { Ctx, Idempotency } from '../../core/context.js';
import { badInput } from '../../core/errors.js';

/** Hands the key of `@idempotent(key:)` to the mutation that it stands on; `write` does the rest. */
export function withIdempotency(schema: GraphQLSchema): GraphQLSchema {
  const directive = schema.getDirective('idempotent');
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const run = field.resolve as GraphQLFieldResolver<unknown, Ctx> | undefined;
    if (!run || !directive) continue;
    field.resolve = (source, args, ctx: Ctx, info) => {
      const node = info.fieldNodes[0];
      if (!node?.directives?.length) return run(source, args, ctx, info);
      const values = getDirectiveValues(directive, node, info.variableValues);
      if (!values) return run(source, args, ctx, info);
      return run(
        source,
        args,
        Object.create(ctx, { idempotency: { value: idempotencyOf(`${values['key']}`, field.name, args) } }) as Ctx,
        info,
      );
    };
  }
  return schema;
}

function idempotencyOf(key: string, mutation: string, args: object): Idempotency {
  if (key.length < 1 || key.length > 255 || key.includes('\u0000')) throw badInput('key', 'must be 1–255 characters');
  return { key, requestHash: createHash('sha256').update(textOf(mutation, args)).digest('base64url') };
}

function textOf(mutation: string, args: object): string {
  try {
    return JSON.stringify([mutation, args]);
  } catch (error) {
    // Deeper than the stack is deep; no mutation takes that.
    if (error instanceof RangeError) throw badInput('input', 'is nested too deeply');
    throw error;
  }
}
