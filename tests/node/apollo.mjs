// Apollo Client against a running Hearth: its normalising cache, subscriptions over graphql-ws.
//
// With HEARTH_APQ=1 its link for automatic persisted queries sends hashes first.
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client/core';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { getMainDefinition, relayStylePagination } from '@apollo/client/utilities';
import { getIntrospectionQuery } from 'graphql';
import WebSocket from 'ws';
import * as lib from './lib.mjs';

// GraphQLWsLink compares with a browser's WebSocket whatever fails, and Node 20 has none.
globalThis.WebSocket ??= WebSocket;

// Apollo warns of what it cannot merge on the console only.
const warnings = [];
console.error = console.warn = (...words) => warnings.push(words.map(String).join(' '));

const apq = process.env.HEARTH_APQ === '1';

/** A client as an app has it. */
function clientOf(token, { possibleTypes, seen } = {}) {
  const socket = lib.socketAs(token);
  const http = new HttpLink({ uri: lib.url, fetch: lib.fetchAs(token, seen) });
  const persisted = new PersistedQueryLink({ sha256: (text) => createHash('sha256').update(text).digest('hex') });
  const client = new ApolloClient({
    link: ApolloLink.split(
      ({ query }) => getMainDefinition(query).operation === 'subscription',
      new GraphQLWsLink(socket),
      apq ? persisted.concat(http) : http,
    ),
    cache: new InMemoryCache({
      possibleTypes,
      typePolicies: { Unit: { fields: { allocations: relayStylePagination(['kind']) } } },
    }),
  });
  return {
    client,
    async close() {
      client.stop();
      await socket.dispose();
    },
  };
}

const codesOf = (error) =>
  CombinedGraphQLErrors.is(error) ? error.errors.map(({ extensions }) => extensions.code) : [String(error)];

const BOARD = gql`
  query Board($id: ID!, $first: Int, $after: String) {
    unit(id: $id) {
      id
      name
      feedCursor
      allocations(first: $first, after: $after, kind: PRIMARY) {
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
          endCursor
        }
      }
    }
  }
`;
const BAD_CURSOR = gql`
  query BadCursor($id: ID!) {
    unit(id: $id) {
      id
      name
      allocations(after: "no cursor", kind: JOINT) {
        totalCount
      }
    }
  }
`;
const RECORD = gql`
  query Record($id: ID!) {
    node(id: $id) {
      id
      ... on Case {
        caseNo
        version
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
// By a fragment on the interface, which the cache reads back only if it knows the interface's types.
const TRANSFER = gql`
  fragment Refusal on UserError {
    message
    ... on VersionConflict {
      currentVersion
    }
  }
  mutation Transfer($input: RequestTransferInput!) {
    requestTransfer(input: $input) {
      errors {
        ...Refusal
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
      cursor
      ... on Event {
        eventId
        type
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

/** What @graphql-codegen's fragment matcher, or Apollo's own recipe, makes of an introspection. */
async function possibleTypesOf({ client }) {
  const { data } = await client.query({ query: gql(getIntrospectionQuery()), fetchPolicy: 'no-cache' });
  const abstract = data.__schema.types.filter(({ possibleTypes }) => possibleTypes);
  return Object.fromEntries(abstract.map(({ name, possibleTypes }) => [name, possibleTypes.map((type) => type.name)]));
}

const introspecting = clientOf(lib.clinician);
const possibleTypes = await possibleTypesOf(introspecting);
lib.print('possible types', { UserError: possibleTypes.UserError, FeedItem: possibleTypes.FeedItem });

const exchanges = [];
const me = clientOf(lib.clinician, { possibleTypes, seen: (exchange) => exchanges.push(exchange) });
const lead = clientOf(lib.consultant, { possibleTypes });
const firstResponse = clientOf(lib.firstResponse, { possibleTypes });

const casesIn = ({ unit }) => unit.allocations.edges.map(({ node }) => node.case);
const casesOf = (data) => casesIn(data).map(({ caseNo }) => caseNo);
const told = ({ status, type, body }) => ({
  status,
  type,
  text: 'query' in body,
  hash: Boolean(body.extensions?.persistedQuery),
});

// A board, watched as a component does; its second page is merged into the same list.
const board = me.client.watchQuery({ query: BOARD, variables: { id: lib.unitId, first: 3 } });
const shown = new lib.Inbox();
const watching = board.subscribe(({ data, dataState, loading }) => {
  if (dataState === 'complete' && !loading) shown.push(data);
});
const one = await shown.next();
lib.print('board', {
  name: one.unit.name,
  totalCount: one.unit.allocations.totalCount,
  cases: casesOf(one),
  exchanges: exchanges.map(told),
});
await board.fetchMore({ variables: { after: one.unit.allocations.pageInfo.endCursor } });
const both = await shown.next();
lib.print('pages', { cases: casesOf(both), hasNextPage: both.unit.allocations.pageInfo.hasNextPage });

// The feed writes into the cache, and so into the board.
const inbox = new lib.Inbox();
const types = ['ALLOCATION_STARTED', 'TRANSFER_REQUESTED'];
const subscribe = (variables, inbox) =>
  me.client.subscribe({ query: FEED, variables }).subscribe({
    next: (result) => inbox.push(result),
    error: (error) => inbox.push({ error }),
  });
const feed = subscribe({ unitId: lib.unitId, after: one.unit.feedCursor, types }, inbox);
lib.print('feed opened', { typename: (await inbox.next()).data.unitFeed.__typename });

const queued = await lib.queued();
const allocated = await firstResponse.client.mutate({
  mutation: ALLOCATE,
  variables: { input: lib.allocation(queued) },
});
lib.print('allocated', { errors: allocated.data.allocateCase.errors });
lib.print('pushed', { item: (await inbox.next()).data.unitFeed });
const refetched = await board.refetch();
lib.print('refetched', { exchange: told(exchanges.at(-1)) });
const asked = exchanges.length;
const transferred = await lead.client.mutate({
  mutation: TRANSFER,
  variables: { input: lib.transfer(queued.id, queued.version + 1) },
});
lib.print('transfer', { payload: transferred.data.requestTransfer });
const pushed = (await inbox.next()).data.unitFeed;
const versionOf = (data) => casesIn(data).find(({ id }) => id === queued.id)?.version;
let after;
while (after !== pushed.case.version) after = versionOf(await shown.next());
lib.print('pushed into the board', {
  item: pushed,
  before: versionOf(refetched.data),
  after,
  queries: exchanges.length - asked,
});
feed.unsubscribe();
watching.unsubscribe();

// A record by its id, with the type that the interface turned out to have.
const record = await me.client.query({ query: RECORD, variables: { id: queued.id } });
lib.print('record', { node: record.data.node, exchange: told(exchanges.at(-1)) });

// A refusal is data, an error an error with its code.
const stale = await lead.client.mutate({
  mutation: TRANSFER,
  variables: { input: lib.transfer(queued.id, queued.version) },
});
lib.print('refused', { errors: stale.data.requestTransfer.errors });
const forbidden = await me.client
  .mutate({ mutation: TRANSFER, variables: { input: lib.transfer(queued.id, queued.version + 2) } })
  .catch((error) => error);
lib.print('forbidden', { name: forbidden.name, codes: codesOf(forbidden), ...told(exchanges.at(-1)) });
const partial = await me.client.query({ query: BAD_CURSOR, variables: { id: lib.unitId }, errorPolicy: 'all' });
lib.print('partial', {
  name: partial.data.unit.name,
  allocations: partial.data.unit.allocations,
  codes: codesOf(partial.error),
  ...told(exchanges.at(-1)),
});
const invalid = await me.client.query({ query: gql('{ unit }') }).catch((error) => error);
lib.print('invalid', { name: invalid.name, codes: codesOf(invalid), ...told(exchanges.at(-1)) });
const elsewhere = new lib.Inbox();
subscribe({ unitId: lib.otherUnitId }, elsewhere);
lib.print('feed of another unit', { codes: codesOf((await elsewhere.next()).error) });

for (const { close } of [introspecting, me, lead, firstResponse]) await close();
lib.print('warnings', { warnings });
