import { link, type Link } from "../../index.js";
import { chargeCard, loopForEver, resizeImage, sendMail } from "./sample-tasks.js";

/** The group under which all tasks of the demo are found again. */
export const demoGroup = "demo";

/** `count` tasks: mostly good ones, some that need a retry, some that fail, and one that hangs. */
export function demoPlan(count: number): Link[] {
  const hangs = Math.floor(count / 3);
  return Array.from({ length: count }, (_, index) => {
    if (index === hangs) return link(loopForEver.with({ group: demoGroup }));
    if (index % 20 === 7) return link(sendMail.with({ group: demoGroup }), `customer-${index}`);
    if (index % 10 === 3) return link(chargeCard.with({ group: demoGroup }), index);
    return link(resizeImage.with({ group: demoGroup }), `photo-${index}.jpg`, 300);
  });
}
