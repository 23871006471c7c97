import { AppError } from '../../core/errors.js';
import type { Tx } from '../../core/write.js';
import type { Closing } from '../identity/delete-user.js';

/** Takes someone who closes their account out of every organization; CONFLICT while they are the last owner of one. */
export async function leaveAllOrganizations(tx: Tx, { userId }: Closing): Promise<void> {
  // Every organization is locked before its owners are counted: whoever is made OWNER meanwhile is then seen.
  const held = await tx.sql<{
    id: string;
  }>`select o.id from "Organization" o join "OrganizationMember" m on m."organizationId" = o.id
    where m."userId" = ${userId} and o."deletedAt" is null order by o.id for no key update of o`;
  const [last] = await tx.sql<{
    name: string;
  }>`select o.name from "Organization" o where o.id = any(${held.map(({ id }) => id)}::text[])
      and not exists (select from "OrganizationMember" m where m."organizationId" = o.id and m.role = 'OWNER' and m."userId" <> ${userId})
    order by o.id limit 1`;
  if (last)
    throw new AppError(
      'CONFLICT',
      `The account is the last owner of the organization ${last.name}: give it another owner, or delete it, first.`,
    );
  const left = await tx.sql<{
    organizationId: string;
  }>`delete from "OrganizationMember" where "userId" = ${userId} returning "organizationId"`;
  for (const { organizationId } of left) {
    tx.in({ organization: organizationId }).emit(
      'organization.memberRemoved',
      'Organization',
      organizationId,
      { userId },
      { operation: 'DELETE' },
    );
  }
}
