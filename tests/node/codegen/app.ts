// An app on typed documents. It must compile under `strict`, and it runs against the server afterwards.
//
// A line under @ts-expect-error is one that the types must refuse: if they let it pass, the compilation fails.
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { type ExecutionResult, print } from 'graphql';
import { createClient } from 'graphql-ws';
import { type FragmentType, unmask } from './generated/index.js';
import {
  AllocateCaseDocument,
  BoardCaseFragmentDoc,
  BoardDocument,
  RecordDocument,
  RequestTransferDocument,
  UnitFeedDocument,
  type UnitFeedSubscription,
  type AllocationKind,
  type BoardQueryVariables,
  type RequestTransferMutation,
} from './generated/graphql.js';
import type { Instant, LocalDate } from './scalars.js';
// @ts-expect-error: plain JavaScript, without types
import WebSocket from 'ws';
// @ts-expect-error: the same
import * as lib from '../lib.mjs';

type Answer<TResult> = Omit<ExecutionResult, 'data'> & { data?: TResult | null };

async function execute<TResult, TVariables>(
  token: string,
  document: TypedDocumentNode<TResult, TVariables>,
  variables: TVariables,
): Promise<Answer<TResult>> {
  const response: Response = await lib.fetchAs(token)(lib.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query: print(document), variables }),
  });
  return (await response.json()) as Answer<TResult>;
}

/** The data, of an answer without errors. */
function dataOf<TResult>({ data, errors }: Answer<TResult>): TResult {
  if (errors || !data) throw new Error(JSON.stringify(errors));
  return data;
}

// --- A board: nullable fields, enums, scalars, a masked fragment --------------------------------

function year(day: LocalDate): number {
  return new Date(day).getUTCFullYear();
}

function line(masked: FragmentType<typeof BoardCaseFragmentDoc>): string {
  // @ts-expect-error: a masked fragment is read by unmasking it
  masked.caseNo;
  const { caseNo, status, openedOn, closedOn, child } = unmask(BoardCaseFragmentDoc, masked);
  // @ts-expect-error: a child may be out of sight
  child.displayName;
  // @ts-expect-error: an unborn child has no date of birth
  const born: LocalDate | undefined = child?.dateOfBirth;
  // @ts-expect-error: no such status
  if (status === 'LOST') return 'lost';
  // @ts-expect-error: an open case has not been closed
  year(closedOn);
  void born;
  return `${caseNo} ${status} since ${year(openedOn)} ${closedOn ?? 'open'}: ${child?.displayName ?? 'out of sight'}`;
}

const kind: AllocationKind = 'PRIMARY';
const wanted: BoardQueryVariables = { id: lib.unitId, first: 2, kind };
// @ts-expect-error: a unit's id is needed
const missing: BoardQueryVariables = { first: 2 };
// @ts-expect-error: no such kind
const wrong: BoardQueryVariables = { id: lib.unitId, kind: 'SECONDARY' };
void [missing, wrong];

const { unit } = dataOf(await execute(lib.clinician, BoardDocument, wanted));
// @ts-expect-error: a unit may be missing
unit.name;
if (!unit) throw new Error('no unit');
const nodes = unit.allocations?.nodes ?? [];
const started: Instant | undefined = nodes[0]?.startedAt;
lib.print('board', {
  name: unit.name,
  service: unit.service,
  totalCount: unit.allocations?.totalCount,
  started: started !== undefined && !Number.isNaN(Date.parse(started)),
  kinds: nodes.map((node) => node.kind),
  lines: nodes.map((node) => (node.case ? line(node.case) : 'out of sight')),
});

// --- A record by its id: narrowed by its type ---------------------------------------------------

const record = dataOf(await execute(lib.clinician, RecordDocument, { id: lib.unitId })).node;
// @ts-expect-error: not before it is known to be a unit
record?.name;
lib.print('record', { name: record?.__typename === 'Unit' ? record.name : null });

// --- A feed: items narrowed by their types ------------------------------------------------------

type Item = UnitFeedSubscription['unitFeed'];

function tell(item: Item): string {
  // @ts-expect-error: an opening is no event
  item.eventId;
  switch (item.__typename) {
    case 'FeedOpened':
      return 'opened';
    case 'AccessEnded':
      return 'ended';
    case 'AllocationEvent':
      // @ts-expect-error: not of an allocation
      item.transferState;
      return `${item.type} ${item.allocationKind}`;
    case 'TransferEvent':
      return `${item.type} ${item.transferState} ${item.effectiveOn ?? 'not yet'}`;
    default:
      return item.type;
  }
}

const socket = createClient({
  url: lib.wsUrl,
  webSocketImpl: WebSocket,
  connectionParams: { authorization: `Bearer ${lib.clinician}` },
  retryAttempts: 0,
});
const feed = socket.iterate<UnitFeedSubscription>({
  query: print(UnitFeedDocument),
  variables: { unitId: lib.unitId, after: unit.feedCursor, types: ['ALLOCATION_STARTED', 'TRANSFER_REQUESTED'] },
});
async function next(): Promise<Item> {
  const { value } = await feed.next();
  return dataOf<UnitFeedSubscription>(value).unitFeed;
}
lib.print('feed', { told: tell(await next()) });

// --- Mutations: refusals narrowed by their types ------------------------------------------------

type Refusal = NonNullable<RequestTransferMutation['requestTransfer']>['errors'][number];

function advice(refusal: Refusal): string {
  // @ts-expect-error: only of a version conflict
  refusal.currentVersion;
  switch (refusal.__typename) {
    case 'VersionConflict':
      return `read version ${refusal.currentVersion satisfies number}`;
    case 'IllegalTransition':
      return `from ${refusal.from} to one of ${refusal.legalNext.join()}`;
    case 'GuardFailed':
      return `${refusal.guard}: ${refusal.explanation}`;
    default:
      return refusal.message;
  }
}

const queued: { id: string; version: number } = await lib.queued();
const allocated = await execute(lib.firstResponse, AllocateCaseDocument, { input: lib.allocation(queued) });
lib.print('allocated', { errors: dataOf(allocated).allocateCase?.errors, told: tell(await next()) });

const transferred = await execute(lib.consultant, RequestTransferDocument, {
  input: lib.transfer(queued.id, queued.version + 1),
});
const { requestTransfer } = dataOf(transferred);
// @ts-expect-error: no payload comes with an error
requestTransfer.errors;
lib.print('transfer', {
  state: requestTransfer?.transfer?.state,
  respondedAt: requestTransfer?.transfer?.respondedAt,
  refused: requestTransfer?.errors.map(advice),
  told: tell(await next()),
});

const stale = await execute(lib.consultant, RequestTransferDocument, {
  input: lib.transfer(queued.id, queued.version),
});
lib.print('refused', { refused: dataOf(stale).requestTransfer?.errors.map(advice) });

const forbidden = await execute(lib.clinician, RequestTransferDocument, {
  input: lib.transfer(queued.id, queued.version + 2),
});
lib.print('forbidden', {
  payload: forbidden.data?.requestTransfer,
  codes: forbidden.errors?.map(({ extensions }) => extensions?.['code']),
});

await socket.dispose();
