/** What accompanies a line of the log. `error` is printed with its stack. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where a process writes its log. pino, winston and `console` fit through a one-line adapter. */
export interface Logger {
  readonly debug: (message: string, fields?: LogFields) => void;
  readonly info: (message: string, fields?: LogFields) => void;
  readonly warn: (message: string, fields?: LogFields) => void;
  readonly error: (message: string, fields?: LogFields) => void;
}
