import type { Ctx } from '../src/core/context.js';
import { sendMessage } from '../src/domains/chats/messages.js';
import { createChat } from '../src/domains/chats/service.js';
import type { NoteRow } from '../src/domains/knowledge/note.js';
import { sourceOf } from '../src/domains/search/sources.js';
import type { MessagePartInput, MessageRole } from '../src/generated/graphql.js';
import { searchedNow, writeTexts } from '../src/jobs/search-text.js';

interface ChatScene {
  readonly owner: Ctx;
  readonly helper: Ctx;
  readonly spaceId: string;
  readonly notes: readonly NoteRow[];
}

/** A conversation with a program, as its parts were kept, and a question that the assistant answers once the workers run. Answers the id of the first. */
export async function makeChats({ owner, helper, spaceId, notes }: ChatScene): Promise<string> {
  const { value: plan } = await createChat(helper, { spaceId, title: 'What goes where?', context: { year: 2026 } });
  for (const { role, parts } of conversation(notes[0]?.id ?? ''))
    await sendMessage(helper, { chatId: plan.id, role, parts, reply: false, stream: false });
  const { value: question } = await createChat(owner, { spaceId, title: 'Water for the tomatoes' });
  // The answer may come before the index has: the words of the notes are there at once.
  const [source, signal] = [sourceOf('Note'), new AbortController().signal];
  const ids = notes.map(({ id }) => id);
  if (source) await writeTexts(owner.app, [...(await searchedNow(owner.app, source, ids, signal)).values()]);
  const parts = [{ text: { text: 'How often do we water the tomatoes?' } }];
  await sendMessage(owner, { chatId: question.id, role: 'USER', parts, reply: true, stream: false });
  return plan.id;
}

interface Line {
  readonly role: MessageRole;
  readonly parts: MessagePartInput[];
}

const conversation = (noteId: string): readonly Line[] => [
  { role: 'USER', parts: [{ text: { text: 'What grew best in the south bed last year?' } }] },
  {
    role: 'ASSISTANT',
    parts: [
      { step: true },
      { reasoning: { text: 'The yields of 2025 by bed will tell.' } },
      {
        toolCall: {
          toolCallId: 'call_yields',
          toolName: 'yields',
          kind: 'STATIC',
          state: 'INPUT_AVAILABLE',
          input: { bed: 'south', year: 2025 },
        },
      },
      { toolResult: { toolCallId: 'call_yields', output: { tomatoes: 52, lettuce: 9.5 } } },
      { step: true },
      { text: { text: 'The tomatoes: **52 kg**, against 9.5 kg of lettuce.' } },
      { data: { name: 'chart', data: { unit: 'kg', tomatoes: 52, lettuce: 9.5 } } },
      { source: { sourceId: noteId, mediaType: 'text/markdown', title: 'Tomatoes in the south bed' } },
    ],
  },
  { role: 'USER', parts: [{ text: { text: 'Then tomatoes again, but where do the stakes come from?' } }] },
  { role: 'ASSISTANT', parts: [{ text: { text: 'Those of last year are in the shed, says the note.' } }] },
];
