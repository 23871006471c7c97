import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import {
  buildSchema,
  getOperationAST,
  getVariableValues,
  type OperationDefinitionNode,
  parse,
  validate,
} from 'graphql';
import { examples } from '../../src/graphiql/examples.js';

const files = readdirSync('schema').filter((file) => file.endsWith('.graphql'));
const schema = buildSchema(files.map((file) => readFileSync(`schema/${file}`, 'utf8')).join('\n'));

test.each(examples)('the example "$name" fits the schema', ({ query, variables }) => {
  expect(validate(schema, parse(query))).toEqual([]);
  const declared = operationOf(query).variableDefinitions ?? [];
  expect(getVariableValues(schema, declared, variables).errors).toBeUndefined();
  expect(Object.keys(variables)).toEqual(declared.map(({ variable }) => variable.name.value));
});

test('no two examples share a name or a tab', () => {
  const names = examples.flatMap(({ name, query }) => [name, operationOf(query).name?.value]);
  expect(new Set(names).size).toBe(examples.length * 2);
});

function operationOf(query: string): OperationDefinitionNode {
  const operation = getOperationAST(parse(query));
  if (!operation) throw new Error('An example holds one operation.');
  return operation;
}
