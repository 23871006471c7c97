import type { Example } from './examples.js';

const spaceId = '$DEMO_SPACE';

/** Conversations, with people and with an assistant. */
export const chatsExamples: readonly Example[] = [
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
    name: 'A conversation, part by part',
    query: `query Conversation($id: ID!) {
  chat(id: $id) {
    title
    context
    messages(first: 20) {
      nodes {
        seq
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
          ... on ReasoningPart {
            text
          }
          ... on ToolCallPart {
            toolName
            input
          }
          ... on ToolResultPart {
            output
          }
          ... on DataPart {
            name
            data
          }
          ... on SourcePart {
            sourceId
            title
          }
        }
      }
    }
  }
}`,
    variables: { id: '$DEMO_CHAT' },
  },
  {
    name: 'Begin a chat',
    query: `# Then say something in it with sendMessage
# and the id that is answered.
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
    name: 'Ask the assistant',
    query: `# The reply is written behind the request:
# read it with the conversation, or live.
mutation AskAssistant($input: SendMessageInput!) {
  sendMessage(input: $input) {
    message {
      id
    }
    reply {
      id
      status
    }
    stream {
      id
      cursor
    }
  }
}`,
    variables: {
      input: {
        chatId: '$DEMO_CHAT',
        parts: [{ text: { text: 'When do we pinch the side shoots?' } }],
        reply: true,
      },
    },
  },
  {
    name: 'Live: a reply while it is written',
    query: `# Run it, then ask the assistant in another
# window. It ends with the whole message.
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
    variables: { chatId: '$DEMO_CHAT', after: null },
  },
];
