/** Someone of the demo world, with the password to sign in. */
export interface DemoAccount {
  readonly name: string;
  readonly email: string;
  readonly password: string;
}

/** An API key of the demo world. */
export interface DemoKey {
  readonly name: string;
  readonly key: string;
  readonly scopes: readonly string[];
}

/** What the examples are about, besides the space. */
export interface DemoExamples {
  readonly chatId: string;
  readonly noteId: string;
  readonly taskId: string;
  readonly postId: string;
  readonly fileId: string;
}

/** Who can be tried out on a server, in which space, and where. Its passwords and keys are handed to anyone who opens the page. */
export interface DemoWorld {
  readonly graphql: string;
  readonly graphiql: string;
  readonly spaceId: string;
  /** Missing in a world that an earlier version made. */
  readonly examples?: DemoExamples;
  readonly accounts: readonly DemoAccount[];
  readonly apiKeys: readonly DemoKey[];
}
