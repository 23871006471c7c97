/** What is searched of a resource. */
export interface SourceText {
  /** Counts more than the body. */
  readonly title: string;
  readonly body: string;
  /** There is a body, and it could not be read. */
  readonly isUnreadable?: boolean;
}
