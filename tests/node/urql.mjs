// urql against a running Hearth: with its document cache, and with Graphcache, its normalising one.
//
// With HEARTH_SSE=1 its subscriptions come over server-sent events, as urql does it without a socket.
import { Client, cacheExchange, fetchExchange, gql, subscriptionExchange } from '@urql/core';
import { cacheExchange as graphcache } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { getIntrospectionQuery } from 'graphql';
import * as lib from './lib.mjs';

// Graphcache warns of what it cannot normalise on the console only.
const warnings = [];
console.error = console.warn = (...words) => warnings.push(words.map(String).join(' '));

const sse = process.env.HEARTH_SSE === '1';

/** A client as an app has it. `exchanges` are those before the one that fetches. */
function clientOf(token, exchanges, seen) {
  const socket = lib.socketAs(token);
  const overSocket = subscriptionExchange({
    forwardSubscription: (request) => ({
      subscribe: (sink) => ({ unsubscribe: socket.subscribe(request, sink) }),
    }),
  });
  const client = new Client({
    url: lib.url,
    fetch: lib.fetchAs(token, seen),
    fetchSubscriptions: sse,
    exchanges: [...exchanges, fetchExchange, ...(sse ? [] : [overSocket])],
  });
  return { client, close: () => socket.dispose() };
}

/** The data, of a result without an error. */
function dataOf({ data, error }) {
  if (error) throw error;
  return data;
}

const codesOf = ({ error }) => error.graphQLErrors.map(({ extensions }) => extensions.code);

const BOARD = gql`
  query Board($id: ID!, $first: Int, $after: String) {
    unit(id: $id) {
      id
      name
      feedCursor
      allocations(first: $first, after: $after) {
        totalCount
        edges {
          cursor
          node {
            id
            case {
              id
              caseNo
              version
            }
          }
        }
        pageInfo {
          hasNextPage
          hasPreviousPage
          startCursor
          endCursor
        }
      }
    }
  }
`;
const CASE = gql`
  query Case($id: ID!) {
    case(id: $id) {
      id
      caseNo
      version
    }
  }
`;
const BAD_CURSOR = gql`
  query BadCursor($id: ID!) {
    unit(id: $id) {
      id
      name
      allocations(after: "no cursor") {
        totalCount
      }
    }
  }
`;
const ALLOCATE = gql`
  mutation Allocate($input: AllocateCaseInput!) {
    allocateCase(input: $input) {
      errors {
        message
      }
    }
  }
`;
const TRANSFER = gql`
  mutation Transfer($input: RequestTransferInput!) {
    requestTransfer(input: $input) {
      errors {
        message
        ... on VersionConflict {
          currentVersion
        }
        ... on GuardFailed {
          guard
          explanation
        }
      }
      transfer {
        id
        state
      }
      case {
        id
        version
      }
    }
  }
`;
const FEED = gql`
  subscription Feed($unitId: ID!, $after: String, $types: [EventType!]) {
    unitFeed(unitId: $unitId, after: $after, types: $types) {
      __typename
      cursor
      ... on Event {
        eventId
        type
        actor {
          displayName
          role
        }
      }
      ... on AllocationEvent {
        allocation {
          id
          case {
            id
            caseNo
            version
          }
        }
      }
      ... on TransferEvent {
        transferState
        case {
          id
          caseNo
          version
        }
      }
    }
  }
`;

const types = ['ALLOCATION_STARTED', 'TRANSFER_REQUESTED'];
const casesOf = ({ unit }) => unit.allocations.edges.map(({ node }) => node.case.caseNo);

function feedOf({ client }, variables) {
  const inbox = new lib.Inbox();
  const { unsubscribe } = client.subscription(FEED, variables).subscribe((result) => inbox.push(result));
  return { next: () => inbox.next(), close: unsubscribe };
}

// --- The document cache -------------------------------------------------------------------------

const exchanges = [];
const me = clientOf(lib.clinician, [cacheExchange], (exchange) => exchanges.push(exchange));
const lead = clientOf(lib.consultant, [cacheExchange]);
const firstResponse = clientOf(lib.firstResponse, [cacheExchange]);

const first = await me.client.query(BOARD, { id: lib.unitId, first: 3 });
const { unit } = dataOf(first);
const again = await me.client.query(BOARD, { id: lib.unitId, first: 3 });
lib.print('board', {
  name: unit.name,
  totalCount: unit.allocations.totalCount,
  cases: casesOf(first.data),
  asked: exchanges.map(({ method, status, type }) => ({ method, status, type })),
  again: casesOf(again.data),
});

const feed = feedOf(me, { unitId: lib.unitId, after: unit.feedCursor, types });
lib.print('feed opened', { typename: dataOf(await feed.next()).unitFeed.__typename });

const queued = await lib.queued();
const allocated = await firstResponse.client.mutation(ALLOCATE, { input: lib.allocation(queued) });
lib.print('allocated', dataOf(allocated).allocateCase);
lib.print('pushed', { item: dataOf(await feed.next()).unitFeed });

const transferred = await lead.client.mutation(TRANSFER, { input: lib.transfer(queued.id, queued.version + 1) });
lib.print('transfer', dataOf(transferred).requestTransfer);
lib.print('pushed too', { item: dataOf(await feed.next()).unitFeed });
feed.close();

const stale = await lead.client.mutation(TRANSFER, { input: lib.transfer(queued.id, queued.version) });
lib.print('refused', { errors: dataOf(stale).requestTransfer.errors });
const forbidden = await me.client.mutation(TRANSFER, { input: lib.transfer(queued.id, queued.version + 2) });
lib.print('forbidden', { data: forbidden.data, codes: codesOf(forbidden), status: exchanges.at(-1).status });
const partial = await me.client.query(BAD_CURSOR, { id: lib.unitId });
lib.print('partial', {
  name: partial.data.unit.name,
  allocations: partial.data.unit.allocations,
  codes: codesOf(partial),
  path: partial.error.graphQLErrors[0].path,
  status: exchanges.at(-1).status,
});
const invalid = await me.client.query('{ unit }', {});
lib.print('invalid', { data: invalid.data ?? null, codes: codesOf(invalid), status: exchanges.at(-1).status });
const elsewhere = feedOf(me, { unitId: lib.otherUnitId, types });
lib.print('feed of another unit', { codes: codesOf(await elsewhere.next()) });

// --- Graphcache ---------------------------------------------------------------------------------

const introspected = dataOf(await me.client.query(getIntrospectionQuery(), {}));
// What has no id is a part of what it hangs on.
const keys = introspected.__schema.types
  .filter(({ kind, name }) => kind === 'OBJECT' && !name.startsWith('__'))
  .filter(({ fields }) => !fields.some(({ name }) => name === 'id'))
  .map(({ name }) => [name, () => null]);
const cached = [];
const normalised = clientOf(
  lib.clinician,
  [
    graphcache({
      schema: introspected,
      keys: Object.fromEntries(keys),
      resolvers: {
        Unit: { allocations: relayPagination() },
        Query: { case: (_, { id }) => ({ __typename: 'Case', id }) },
      },
    }),
  ],
  (exchange) => cached.push(exchange),
);

const pageOne = dataOf(await normalised.client.query(BOARD, { id: lib.unitId, first: 3 })).unit;
const { endCursor } = pageOne.allocations.pageInfo;
const pages = dataOf(await normalised.client.query(BOARD, { id: lib.unitId, first: 3, after: endCursor }));
lib.print('pages', {
  one: casesOf({ unit: pageOne }),
  both: casesOf(pages),
  hasNextPage: pages.unit.allocations.pageInfo.hasNextPage,
});

// What a push or the board has brought is read from the cache by another query, and a push changes it there.
function watch(id) {
  const inbox = new lib.Inbox();
  const { unsubscribe } = normalised.client.query(CASE, { id }).subscribe((result) => inbox.push(result));
  const next = async () => dataOf(await inbox.next()).case.version;
  return { next, close: unsubscribe };
}
const shown = pageOne.allocations.edges[1].node.case;
const watchingShown = watch(shown.id);
const live = feedOf(normalised, { unitId: lib.unitId, after: pageOne.feedCursor, types });
await live.next();
const next = await lib.queued();
dataOf(await firstResponse.client.mutation(ALLOCATE, { input: lib.allocation(next) }));
const pushed = dataOf(await live.next()).unitFeed.allocation.case;
const watchingPushed = watch(pushed.id);
const before = await watchingPushed.next();
dataOf(await lead.client.mutation(TRANSFER, { input: lib.transfer(next.id, next.version + 1) }));
lib.print('cache', {
  shown: { sent: shown.version, read: await watchingShown.next() },
  pushed: { before, after: await watchingPushed.next() },
  queries: cached.filter(({ accept }) => accept.startsWith('application/')).length,
});

for (const { close } of [watchingShown, watchingPushed, live]) close();
for (const { close } of [me, lead, firstResponse, normalised]) await close();
lib.print('warnings', { warnings });
