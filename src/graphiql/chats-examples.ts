import type { Example } from './examples.js';

const spaceId = '$DEMO_SPACE';

/** Conversations, with people and with an assistant. */
export const chatsExamples: readonly Example[] = [
  {
    name: 'Begin a chat',
    query: `# Then say something in it: sendMessage
# with "reply: true" asks the assistant.
mutation BeginChat($input: CreateChatInput!) {
  createChat(input: $input) {
    chat {
      id
      title
      context
      version
    }
    eventCursor
  }
}`,
    variables: { input: { spaceId, title: 'What grows where?', context: { language: 'English' } } },
  },
  {
    name: 'Chats and their last messages',
    query: `query Chats($spaceId: ID!) {
  space(by: { id: $spaceId }) {
    chats(first: 10) {
      nodes {
        id
        title
        updatedAt
        activeStream {
          id
          lastSeq
        }
        messages(last: 5) {
          nodes {
            role
            status
            author {
              name
            }
            parts {
              __typename
              ... on TextPart {
                text
              }
              ... on ToolCallPart {
                toolName
                input
              }
              ... on ToolResultPart {
                output
              }
              ... on SourcePart {
                sourceId
                title
              }
            }
          }
        }
      }
    }
  }
}`,
    variables: { spaceId },
  },
  {
    name: 'Live: a reply while it is written',
    query: `# With the id of a chat from "Begin a chat".
# It ends with the whole message.
subscription Reply($chatId: ID!, $after: EventCursor) {
  chatStream(chatId: $chatId, after: $after) {
    cursor
    seq
    text
    reasoning
    part {
      __typename
    }
    status
    message {
      id
      failure
    }
  }
}`,
    variables: { chatId: 'chat_', after: null },
  },
];
