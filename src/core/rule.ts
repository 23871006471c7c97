import type { OrganizationRole, SpaceRole } from '../generated/graphql.js';
import type { Roles } from './roles.js';

/** Who may see a row, as data: from it come the SQL of the loaders and the filter of `ctx.db`. */
export type Rule =
  /** Nobody; `column` is any column of the model. */
  | { readonly by: 'nobody'; readonly column: string }
  /** The viewer has a role of at least `least` in the space of `column`; with `public`, or that space is public. */
  | { readonly by: 'space'; readonly column: string; readonly least: SpaceRole; readonly public?: string | true }
  | { readonly by: 'organization'; readonly column: string; readonly least: OrganizationRole }
  /** The row is the viewer's own. */
  | { readonly by: 'user'; readonly column: string }
  /** Some row of `model` whose `key` is this row's `id` passes `rule`; `relation` is its name in Prisma. */
  | {
      readonly by: 'related';
      readonly model: string;
      readonly key: string;
      readonly relation: string;
      readonly rule: Rule;
    }
  /** The row of `model` that `column` names passes `rule`; `relation` is its name in Prisma. */
  | {
      readonly by: 'parent';
      readonly column: string;
      readonly model: string;
      readonly relation: string;
      readonly rule: Rule;
    }
  /** The row that `column` names passes the rule of its model, whichever of `models` it is of. No relation of Prisma: `ctx.db` reads none of these rows. */
  | { readonly by: 'oneOf'; readonly column: string; readonly models: Readonly<Record<string, Rule>> }
  /** The column holds this value. */
  | { readonly by: 'is'; readonly column: string; readonly value: string | boolean | null }
  | { readonly by: 'any'; readonly of: readonly Rule[] }
  | { readonly by: 'all'; readonly of: readonly Rule[] }
  /** The column's time has not come, or there is none. */
  | { readonly by: 'until'; readonly column: string }
  /** Anyone, also without a credential, but not a key that is restricted to spaces; `column` is any column of the model. */
  | { readonly by: 'anyone'; readonly column: string };

/** What the SQL of a rule asks of the viewer; each is one parameter of the statement. */
export type ViewerParam = 'me' | 'public' | `space ${SpaceRole}` | `organization ${OrganizationRole}`;

/** The rule as SQL over the table called `alias`. `bind` gives the placeholder of a parameter. */
export function ruleSql(rule: Rule, alias: string, bind: (param: ViewerParam) => string): string {
  const column = (name: string) => `${alias}."${name}"`;
  switch (rule.by) {
    case 'nobody':
      return 'false';
    case 'user':
      return `${column(rule.column)} = ${bind('me')}::text`;
    case 'organization':
      return `${column(rule.column)} = any(${bind(`organization ${rule.least}`)}::text[])`;
    case 'space': {
      const mine = `${column(rule.column)} = any(${bind(`space ${rule.least}`)}::text[])`;
      if (!rule.public) return mine;
      const open = `(${bind('public')}::boolean and exists (select from "Space" p where p.id = ${column(rule.column)} and p.visibility = 'PUBLIC' and p."deletedAt" is null))`;
      return `(${mine} or ${open})`;
    }
    case 'related': {
      const inner = `${alias}_${rule.relation}`;
      return `exists (select from "${rule.model}" ${inner} where ${inner}."${rule.key}" = ${alias}.id and ${ruleSql(rule.rule, inner, bind)})`;
    }
    case 'parent': {
      const inner = `${alias}_${rule.relation}`;
      return `exists (select from "${rule.model}" ${inner} where ${inner}.id = ${column(rule.column)} and ${ruleSql(rule.rule, inner, bind)})`;
    }
    case 'oneOf': {
      const found = Object.entries(rule.models).map(([model, of]) => {
        const inner = `${alias}_${model}`;
        // Not `exists`, which the planner may answer from a hash of the whole table.
        return `(select ${ruleSql(of, inner, bind)} from "${model}" ${inner} where ${inner}.id = ${column(rule.column)})`;
      });
      return `(${found.join(' or ')})`;
    }
    case 'is':
      if (typeof rule.value !== 'string') return `${column(rule.column)} is ${rule.value}`;
      return `${column(rule.column)} = '${rule.value.replaceAll("'", "''")}'`;
    case 'any':
      return `(${rule.of.map((one) => ruleSql(one, alias, bind)).join(' or ')})`;
    case 'all':
      return `(${rule.of.map((one) => ruleSql(one, alias, bind)).join(' and ')})`;
    case 'until':
      return `(${column(rule.column)} is null or ${column(rule.column)} > now())`;
    case 'anyone':
      return `${bind('public')}::boolean`;
  }
}

/** The value of a parameter for a viewer; with `within`, as seen by someone who asks about that space only. */
export function viewerValue(param: ViewerParam, roles: Roles, within?: string): unknown {
  if (param === 'me') return roles.userId;
  if (param === 'public') return roles.readsPublic;
  const [kind, least] = param.split(' ') as [string, string];
  if (kind === 'organization') return arrayText(roles.organizationsWith(least as OrganizationRole));
  const spaces = roles.spacesWith(least as SpaceRole);
  return within === undefined ? arrayText(spaces) : spaces.includes(within) ? [within] : [];
}

const texts = new WeakMap<readonly string[], string>();

/** Ids as Postgres writes an array, once for each array: nearly every statement has some, and the driver would quote each id each time. */
function arrayText(ids: readonly string[]): string {
  let text = texts.get(ids);
  if (text === undefined) texts.set(ids, (text = `{${ids.map((id) => `"${id}"`).join()}}`));
  return text;
}

/** The rule as a Prisma `where`. `{ in: [] }` is how nothing is written: an empty OR would match everything. */
export function ruleWhere(rule: Rule, roles: Roles): object {
  switch (rule.by) {
    case 'nobody':
    case 'oneOf':
      return { [rule.column]: { in: [] } };
    case 'user':
      return { [rule.column]: { in: roles.userId ? [roles.userId] : [] } };
    case 'organization':
      return { [rule.column]: { in: roles.organizationsWith(rule.least) } };
    case 'space': {
      const mine = { [rule.column]: { in: roles.spacesWith(rule.least) } };
      if (!rule.public || !roles.readsPublic) return mine;
      const open = { visibility: 'PUBLIC', deletedAt: null };
      return { OR: [mine, rule.public === true ? open : { [rule.public]: open }] };
    }
    case 'related':
      return { [rule.relation]: { some: ruleWhere(rule.rule, roles) } };
    case 'parent':
      return { [rule.relation]: { is: ruleWhere(rule.rule, roles) } };
    case 'is':
      return { [rule.column]: rule.value };
    case 'any':
      return { OR: rule.of.map((one) => ruleWhere(one, roles)) };
    case 'all':
      return { AND: rule.of.map((one) => ruleWhere(one, roles)) };
    case 'until':
      return { OR: [{ [rule.column]: null }, { [rule.column]: { gt: new Date() } }] };
    case 'anyone':
      return roles.readsPublic ? {} : { [rule.column]: { in: [] } };
  }
}
