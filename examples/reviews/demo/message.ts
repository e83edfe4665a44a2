/** One message to post. */
export interface DemoMessage {
  readonly id: string;
  readonly text: string;
  /** What people said of it; `undefined` where nobody did. */
  readonly spam?: boolean | undefined;
}
