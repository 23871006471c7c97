import type { GraphQLFormattedError } from 'graphql';
import type { Told } from '../subscriptions/road.js';

/** How a stream is written: what a client of its protocol reads. `id` names the subscription where a stream has several. */
export interface Form {
  readonly contentType: string;
  /** Said at once, so that everything on the way knows that it has begun. */
  readonly hello: string;
  /** Said when there has been nothing else for a while. */
  readonly beat: string;
  next(id: string, result: Told): string;
  complete(id: string): string;
  /** What a subscription is told that ends with its stream, for its client to begin again. */
  cut(id: string, error: GraphQLFormattedError): string;
  readonly end: string;
}

// JSON has no line breaks of its own: each event is one line of data.
const event = (name: string, data: unknown) =>
  `event: ${name}\ndata:${data === undefined ? '' : ` ${JSON.stringify(data)}`}\n\n`;

const events = { contentType: 'text/event-stream; charset=utf-8', hello: ':\n\n', beat: ':\n\n', end: '' } as const;

/** graphql-sse, a stream for each subscription. A stream that ends without `complete` is begun again by its client. */
export const distinctEvents: Form = {
  ...events,
  next: (_, result) => event('next', result),
  complete: () => event('complete', undefined),
  cut: (_, error) => event('next', { errors: [error] }),
};

/** graphql-sse, one stream for all subscriptions of a client. */
export const sharedEvents: Form = {
  ...events,
  next: (id, payload) => event('next', { id, payload }),
  complete: (id) => event('complete', { id }),
  cut: (id, error) => event('next', { id, payload: { errors: [error] } }),
};

// Readers take a part once they see the boundary behind it: every part brings it along.
const part = (value: unknown) =>
  `\r\ncontent-type: application/json; charset=utf-8\r\n\r\n${JSON.stringify(value)}\r\n--graphql`;

/** Subscriptions as parts of one answer, as Apollo's clients read them: an error beside `payload` is one of the transport. */
export const parts: Form = {
  contentType: 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0',
  hello: '\r\n--graphql',
  beat: part({}),
  next: (_, payload) => part({ payload }),
  complete: () => '',
  cut: (_, error) => part({ payload: null, errors: [error] }),
  end: '--\r\n',
};
