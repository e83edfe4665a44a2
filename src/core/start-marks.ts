/**
 * Which task each place of a worker started last, and when: written by the worker right before it calls the task, read
 * by its supervisor, and still readable when the worker was killed in the next instruction. That is what makes deadlines
 * exact and blame certain without a message for each start.
 *
 * Sixteen bytes a place, two little-endian doubles: the job's index, and the host's monotonic time in milliseconds.
 */
export interface StartMarks {
  write(place: number, index: number, monotonicMs: number): void;
}

export interface StartMark {
  readonly index: number;
  readonly monotonicMs: number;
}

export const markBytes = 16;

/** Reads the marks of all places; a place that has started nothing yet has index 0. */
export function parseMarks(bytes: Uint8Array, places: number): StartMark[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: places }, (_, place) => ({
    index: view.getFloat64(place * markBytes, true),
    monotonicMs: view.getFloat64(place * markBytes + 8, true),
  }));
}

/** Marks in memory that threads share, or within one process. */
export function sharedMarks(bytes: Uint8Array): StartMarks {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    write(place, index, monotonicMs) {
      view.setFloat64(place * markBytes + 8, monotonicMs, true);
      view.setFloat64(place * markBytes, index, true);
    },
  };
}

/**
 * Marks in a file that both processes have open: one positioned write, into the page cache, survives the writer.
 *
 * @param writeAt - Writes the bytes at an offset, synchronously.
 */
export function fileMarks(writeAt: (bytes: Uint8Array, offset: number) => void): StartMarks {
  const bytes = new Uint8Array(markBytes);
  const memory = sharedMarks(bytes);
  return {
    write(place, index, monotonicMs) {
      memory.write(0, index, monotonicMs);
      writeAt(bytes, place * markBytes);
    },
  };
}
