// A unit's board in Relay: what relay-compiler made of src/board.js, run by relay-runtime.
import { createRequire } from 'node:module';
import * as lib from '../lib.mjs';

const require = createRequire(import.meta.url);
const relay = require('relay-runtime');
const artifact = (name) => require(`./src/__generated__/${name}.graphql`);

// Relay warns of a server that breaks its rules (one id for two types, a missing field) on the console only.
const warnings = [];
console.error = console.warn = (...words) => warnings.push(words.map(String).join(' '));

/** An environment as an app has it, for this person. */
function environmentOf(token, exchanges) {
  const fetchAs = lib.fetchAs(token, (exchange) => exchanges?.push(exchange));
  const socket = lib.socketAs(token);
  const environment = new relay.Environment({
    network: relay.Network.create(
      async ({ text, name }, variables) => {
        const response = await fetchAs(lib.url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: 'application/graphql-response+json, application/json;q=0.9',
          },
          body: JSON.stringify({ query: text, operationName: name, variables }),
        });
        return response.json();
      },
      ({ text, name }, variables) =>
        relay.Observable.create((sink) => {
          const payload = { query: text, operationName: name, variables };
          return socket.subscribe(payload, {
            next: (result) => sink.next(result),
            // A refused subscription is a list of GraphQL errors.
            error: (refused) => sink.error(Object.assign(new Error('refused'), { refused })),
            complete: () => sink.complete(),
          });
        }),
    ),
    store: new relay.Store(new relay.RecordSource()),
  });
  return { environment, close: () => socket.dispose() };
}

const exchanges = [];
const me = environmentOf(lib.clinician, exchanges);
const other = environmentOf(lib.consultant);
const firstResponse = environmentOf(lib.firstResponse);

const query = (name, variables, environment = me.environment) =>
  relay.fetchQuery(environment, artifact(name), variables, { fetchPolicy: 'network-only' }).toPromise();

const commit = ({ environment }, name, input) =>
  new Promise((resolve, reject) =>
    relay.commitMutation(environment, {
      mutation: artifact(name),
      variables: { input },
      // With some data there, what failed comes beside it.
      onCompleted: (response, errors) => resolve({ ...response, graphqlErrors: errors }),
      onError: reject,
    }),
  );

/** What a component reads of its fragment. */
const selectorOf = (name, reference) => relay.getSelector(artifact(name), reference);
function read(name, reference) {
  const { data, isMissingData } = me.environment.lookup(selectorOf(name, reference));
  return { ...data, isMissingData };
}

function caseOf(reference) {
  const { caseNo, version, isMissingData } = read('board_case', reference);
  return { caseNo, version, isMissingData };
}

function boardOf(reference) {
  const { name, allocations, isMissingData } = read('board_unit', reference);
  return {
    name,
    isMissingData,
    totalCount: allocations.totalCount,
    hasNextPage: allocations.pageInfo.hasNextPage,
    cases: allocations.edges.map(({ node }) => caseOf(node.case)),
  };
}

// A unit's board, and its second page by way of the connection.
const count = 3;
const { node } = await query('boardQuery', { id: lib.unitId, count });
lib.print('board', { typename: node.__typename, ...boardOf(node.unit) });

async function loadNext(fragment, pageQuery, reference, path) {
  const { connection } = artifact(fragment).metadata.refetch;
  const list = read(fragment, reference)[path];
  await query(pageQuery, {
    ...(reference.__id === 'client:root:viewer' ? {} : { id: reference.__id }),
    [connection.forward.count]: count,
    [connection.forward.cursor]: list.pageInfo.endCursor,
  });
}
await loadNext('board_unit', 'boardPageQuery', node.unit, 'allocations');
lib.print('second page', boardOf(node.unit));

// The same of the one type that is not refetched by an id.
const { viewer } = await query('boardViewerQuery', {});
const involvementsOf = () => read('board_viewer', viewer).involvements.edges.length;
const before = involvementsOf();
await loadNext('board_viewer', 'boardViewerPageQuery', viewer, 'involvements');
lib.print('viewer', { name: read('board_viewer', viewer).worker.name, before, after: involvementsOf() });

// The unit's feed writes into what is on the screen.
const inbox = new lib.Inbox();
const unit = read('board_unit', node.unit);
const subscription = relay.requestSubscription(me.environment, {
  subscription: artifact('boardFeedSubscription'),
  variables: {
    unitId: lib.unitId,
    after: unit.feedCursor,
    types: ['ALLOCATION_STARTED', 'TRANSFER_REQUESTED'],
    connections: [relay.ConnectionHandler.getConnectionID(lib.unitId, 'board_allocations', {})],
  },
  onNext: (data) => inbox.push(data.unitFeed),
  onError: (error) => inbox.push({ error: error.message, refused: error.refused }),
});
lib.print('feed opened', { item: await inbox.next() });

const queued = await lib.queued();
const allocated = await commit(firstResponse, 'boardAllocateMutation', lib.allocation(queued));
lib.print('allocated', allocated.allocateCase);
const started = await inbox.next();
lib.print('pushed to the board', {
  item: { ...started, allocation: caseOf(started.allocation.case).caseNo },
  board: boardOf(node.unit),
});

// Another's change of a case that is on the screen reaches the component that shows it.
const shown = started.allocation.case;
const seen = new lib.Inbox();
const retained = me.environment.subscribe(me.environment.lookup(selectorOf('board_case', shown)), ({ data }) =>
  seen.push(data),
);
const input = lib.transfer(queued.id, queued.version + 1);
const transferred = await commit(other, 'boardTransferMutation', input);
lib.print('transfer', { errors: transferred.requestTransfer.errors, transfer: transferred.requestTransfer.transfer });
const requested = await inbox.next();
lib.print('pushed to the case', {
  item: {
    __typename: requested.__typename,
    transferState: requested.transferState,
    ref: requested.caseRef.caseNo,
    entity: requested.entity.type,
  },
  shown: { version: (await seen.next()).version },
});
retained.dispose();

// A refusal is data; narrowed by its type.
const stale = await commit(other, 'boardTransferMutation', lib.transfer(queued.id, queued.version));
lib.print('refused', { errors: stale.requestTransfer.errors });

// An error is an error, with its code.
const codesOf = (errors) => errors.map(({ extensions }) => extensions.code);
const forbidden = await commit(me, 'boardTransferMutation', lib.transfer(queued.id, queued.version + 2));
lib.print('forbidden', {
  payload: forbidden.requestTransfer,
  codes: codesOf(forbidden.graphqlErrors),
  status: exchanges.at(-1).status,
});
const invalid = await commit(me, 'boardTransferMutation', { idempotencyKey: lib.key() }).catch((error) => error);
lib.print('invalid', { name: invalid.name, codes: codesOf(invalid.source.errors), status: exchanges.at(-1).status });
const partial = await query('boardBadCursorQuery', { id: lib.unitId });
lib.print('partial', { unit: partial.unit, status: exchanges.at(-1).status });
const elsewhere = await new Promise((resolve) =>
  relay.requestSubscription(me.environment, {
    subscription: artifact('boardFeedSubscription'),
    variables: { unitId: lib.otherUnitId, connections: [] },
    onError: ({ refused }) => resolve({ codes: codesOf(refused) }),
    onNext: (data) => resolve({ data }),
  }),
);
lib.print('feed of another unit', elsewhere);

// Any record again, by its id.
const { node: again } = await query('boardCaseQuery', { id: queued.id });
lib.print('case again', caseOf(again));

subscription.dispose();
for (const { close } of [me, other, firstResponse]) await close();
lib.print('warnings', { warnings, media: [...new Set(exchanges.map(({ type }) => type))] });
