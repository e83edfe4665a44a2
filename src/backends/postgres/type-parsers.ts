/** Types that we read as numbers: all of them are small enough. The rest but booleans is text. */
const numbers = new Set([20, 21, 23, 700, 701]);
const booleanType = 16;

const asNumber = (text: string): number => Number(text);
const asBoolean = (text: string): boolean => text === "t";
const asText = (text: string): string => text;

/** Ours for each query, so that the application's own settings of the driver count for nothing here, and ours not there. */
export const typeParsers = {
  // oxlint-disable-next-line typescript/no-explicit-any -- as the driver declares it
  getTypeParser: (type: number): any => {
    if (numbers.has(type)) return asNumber;
    return type === booleanType ? asBoolean : asText;
  },
};
