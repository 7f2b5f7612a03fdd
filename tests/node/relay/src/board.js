// What relay-compiler compiles: the fragments and operations of a unit's board. Not run itself: with Babel out of the
// way, run.mjs takes the artifacts straight from __generated__.
import { graphql } from 'relay-runtime';

graphql`
  fragment board_case on Case @refetchable(queryName: "boardCaseQuery") {
    caseNo
    status
    version
    openedOn
    child {
      displayName
      dateOfBirth
    }
    leadPractitioner {
      worker {
        name
      }
    }
  }
`;

graphql`
  fragment board_unit on Unit
  @refetchable(queryName: "boardPageQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 3 }, cursor: { type: "String" }) {
    name
    feedCursor
    allocations(first: $count, after: $cursor) @connection(key: "board_allocations", filters: []) {
      totalCount
      edges {
        node {
          kind
          case {
            ...board_case
          }
        }
      }
    }
  }
`;

graphql`
  query boardQuery($id: ID!, $count: Int!) {
    node(id: $id) {
      __typename
      ...board_unit @arguments(count: $count) @alias(as: "unit")
    }
  }
`;

graphql`
  fragment board_viewer on Viewer
  @refetchable(queryName: "boardViewerPageQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" }) {
    worker {
      name
    }
    involvements(first: $count, after: $cursor) @connection(key: "board_involvements") {
      edges {
        node {
          capacity
        }
      }
    }
  }
`;

graphql`
  query boardViewerQuery {
    viewer {
      ...board_viewer
    }
  }
`;

graphql`
  query boardBadCursorQuery($id: ID!) {
    unit(id: $id) {
      name
      allocations(after: "no cursor") @catch(to: RESULT) {
        totalCount
      }
    }
  }
`;

graphql`
  mutation boardAllocateMutation($input: AllocateCaseInput!) {
    allocateCase(input: $input) {
      errors {
        __typename
        message
      }
      allocation {
        id
        kind
      }
    }
  }
`;

graphql`
  mutation boardTransferMutation($input: RequestTransferInput!) {
    requestTransfer(input: $input) {
      errors {
        __typename
        message
        ... on VersionConflict {
          currentVersion
        }
        ... on IllegalTransition {
          from
          legalNext
        }
        ... on GuardFailed {
          guard
          explanation
        }
      }
      case {
        ...board_case
      }
      transfer {
        state
        toUnit {
          name
        }
      }
    }
  }
`;

graphql`
  subscription boardFeedSubscription($unitId: ID!, $after: String, $types: [EventType!], $connections: [ID!]!) {
    unitFeed(unitId: $unitId, after: $after, types: $types) {
      __typename
      cursor
      ... on Event {
        eventId
        type
        severity
        occurredAt
        caseRef {
          caseId
          caseNo
          childInitials
        }
        entity {
          type
          version
        }
        actor {
          displayName
          role
        }
      }
      ... on AllocationEvent {
        allocationKind
        allocation @prependNode(connections: $connections, edgeTypeName: "AllocationEdge") {
          kind
          case {
            ...board_case
          }
        }
      }
      ... on TransferEvent {
        transferState
        case {
          ...board_case
        }
      }
    }
  }
`;
